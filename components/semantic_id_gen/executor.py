"""SemanticIdGen: the work."""

import os
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.semantic_id_gen.encode import Block
from semantic_id_ranking.components.semantic_id_gen.encode import EncodeToParquet

_FEATURES = {"item_id": examples_lib.BYTES, "embedding": examples_lib.FLOAT}


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads the items' Examples, encodes, writes Parquet."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `examples`, `model`.
            output_dict: `semantic_ids`.
            exec_properties: None is read.
        """
        items = artifact_utils.get_single_instance(input_dict["examples"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        output = artifact_utils.get_single_uri(output_dict["semantic_ids"])
        splits = artifact_utils.decode_split_names(items.split_names)
        with self._make_beam_pipeline() as pipeline:
            sources = [
                pipeline
                | f"Read[{split}]"
                >> examples_lib.read_batches(examples_lib.split_pattern(items, split), _FEATURES)
                for split in splits
            ]
            _ = (
                sources
                | beam.Flatten()
                | beam.Reshuffle()
                | "ToBlocks" >> beam.Map(_to_block)
                | "EncodeToParquet"
                >> EncodeToParquet(
                    path_utils.serving_model_path(model.uri), os.path.join(output, "sids")
                )
            )


def _to_block(batch: pa.RecordBatch) -> Block:
    item_ids = np.array([i.decode() for i in examples_lib.scalars(batch, "item_id", b"")], object)
    return item_ids, examples_lib.matrix(batch, "embedding").astype(np.float32)
