"""Beam batch encoding: RunInference over the `encode` signature of a semantic_id SavedModel."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.ml.inference import base

from components import sid_table
from trainer.sid_space import SidSpace

#: Item ids [n] (str) and content embeddings [n, D] float32. A block is the element of the pipeline,
# not an : item: Beam's cost per element is then paid once for thousands of items.
Block = tuple[np.ndarray, np.ndarray]


class SemanticIdModelHandler(base.ModelHandler[Block, pa.Table, Any]):
    """Loads the SavedModel by `tf.saved_model.load` and calls its `encode` signature.

    Beam's own TensorFlow handlers load a Keras model and ignore signatures.

    Args:
        model_path: Directory of the SavedModel.
        space: Its SID space, written into each table's schema.
    """

    def __init__(self, model_path: str, space: SidSpace):
        self._model_path = model_path
        self._space = space

    def load_model(self) -> Any:
        """Loads the SavedModel, once a process."""
        return tf.saved_model.load(self._model_path)

    def run_inference(
        self,
        batch: Sequence[Block],
        model: Any,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[pa.Table]:
        """Encodes blocks.

        Args:
            batch: Blocks.
            model: What `load_model` gave.
            inference_args: Not used.

        Yields:
            A table (item_id, sid) a block.
        """
        del inference_args
        for item_ids, embeddings in batch:
            sids = model.signatures["encode"](embedding=tf.constant(embeddings))["sid"].numpy()
            offsets = np.arange(len(sids) + 1, dtype=np.int32) * self._space.levels
            codes = pa.ListArray.from_arrays(offsets, pa.array(sids.reshape(-1), pa.int32()))
            yield pa.Table.from_arrays(
                [pa.array(item_ids, pa.string()), codes], schema=sid_table.schema(self._space)
            )

    def batch_elements_kwargs(self) -> dict[str, Any]:
        """One block is one batch."""
        return {"min_batch_size": 1, "max_batch_size": 1}


class EncodeToParquet(beam.PTransform):
    """Blocks of items in; Parquet files of (item_id, sid) out.

    Args:
        model_path: Directory of the semantic_id SavedModel.
        output_prefix: Path and beginning of the name of the output files.
    """

    def __init__(self, model_path: str, output_prefix: str):
        super().__init__()
        self._model_path = model_path
        self._output_prefix = output_prefix

    def expand(self, blocks: beam.PCollection) -> Any:
        """Encodes and writes."""
        space = SidSpace.load(f"{self._model_path}/assets.extra")
        return (
            blocks
            | "Encode" >> base.RunInference(SemanticIdModelHandler(self._model_path, space))
            | "Write"
            >> beam.io.WriteToParquetBatched(
                self._output_prefix, sid_table.schema(space), file_name_suffix=".parquet"
            )
        )
