"""Executor of SemanticIdGen."""

from typing import Any

import apache_beam as beam
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from semantic_id_ranking._compat import beam_pipeline
from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.semantic_id_gen.encode_files import EncodeFile
from semantic_id_ranking.contracts.file_digests import check_file_digests


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
        model = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))
        check_file_digests(model)
        output = artifact_utils.get_single_uri(output_dict["semantic_ids"])
        files = [
            path
            for split in artifact_utils.decode_split_names(items.split_names)
            for path in sorted(fileio.glob(examples_lib.split_pattern(items, split)))
        ]
        with beam_pipeline(self) as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(list(enumerate(files)), reshuffle=False)
                # Else the runner fuses everything into one worker.
                | "Spread" >> beam.Reshuffle()
                | "Encode" >> beam.ParDo(EncodeFile(model, output, len(files)))
            )
