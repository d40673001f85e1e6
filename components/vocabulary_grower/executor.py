"""Executor of VocabularyGrower."""

import json
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from semantic_id_ranking.components.examples import split_pattern
from semantic_id_ranking.trainer.ranker.grow_vocabularies import grow_vocabularies


class Executor(base_executor.BaseExecutor):
    """Calls `grow_vocabularies`."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `examples`, `transform_graph`.
            output_dict: `grown_graph`.
            exec_properties: `categorical` (JSON).
        """
        grown = grow_vocabularies(
            artifact_utils.get_single_uri(input_dict["transform_graph"]),
            [
                split_pattern(day, split)
                for day in input_dict["examples"]
                for split in artifact_utils.decode_split_names(day.split_names)
            ],
            json.loads(exec_properties["categorical"]),
            artifact_utils.get_single_uri(output_dict["grown_graph"]),
        )
        for column, categories in grown.items():
            logging.info("context column %s: %d new categories", column, categories)
