"""Encoding with a semantic_id SavedModel, and the Beam transform of SemanticIdGen around it."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.ml.inference import base

from semantic_id_ranking.components import sid_table
from semantic_id_ranking.trainer.sid_space import SidSpace

#: Item ids [n] (str) and content embeddings [n, D] float32. A block is the element of the pipeline,
#: not an item: Beam's cost per element is then paid once for thousands of items.
Block = tuple[np.ndarray, np.ndarray]


class Encoder:
    """The `encode` signature of a SavedModel, as a function of arrays.

    Args:
        model_path: Directory of the SavedModel.
    """

    def __init__(self, model_path: str):
        # A signature does not keep its model's variables alive.
        self._model = tf.saved_model.load(model_path)
        self._encode = self._model.signatures["encode"]

    def __call__(self, embeddings: np.ndarray) -> np.ndarray:
        """Semantic IDs int32 [n, L] of content embeddings float32 [n, D]."""
        return self._encode(embedding=tf.constant(embeddings))["sid"].numpy()


class SemanticIdModelHandler(base.ModelHandler[Block, pa.Table, Encoder]):
    """Loads the SavedModel by `tf.saved_model.load` and calls its `encode` signature.

    Beam's own TensorFlow handlers load a Keras model and ignore signatures.

    Args:
        model_path: Directory of the SavedModel.
        space: Its SID space, written into each table's schema.
    """

    def __init__(self, model_path: str, space: SidSpace):
        self._model_path = model_path
        self._space = space

    def load_model(self) -> Encoder:
        """Loads the SavedModel, once a process."""
        return Encoder(self._model_path)

    def run_inference(
        self,
        batch: Sequence[Block],
        model: Encoder,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[pa.Table]:
        """Encodes blocks.

        Args:
            batch: Blocks.
            model: What `load_model` gave.
            inference_args: Not used.

        Yields:
            A table of Semantic IDs a block.
        """
        del inference_args
        for item_ids, embeddings in batch:
            digests = sid_table.digest(embeddings)
            yield sid_table.to_table(item_ids, model(embeddings), digests, self._space)

    def batch_elements_kwargs(self) -> dict[str, Any]:
        """One block is one batch."""
        return {"min_batch_size": 1, "max_batch_size": 1}


class EncodeToParquet(beam.PTransform):
    """Blocks of items in; Parquet files of their Semantic IDs out.

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
                self._output_prefix,
                sid_table.schema_with_digests(space),
                file_name_suffix=".parquet",
            )
        )
