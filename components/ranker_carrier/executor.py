"""Executor of RankerCarrier."""

import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from semantic_id_ranking.components.examples import split_pattern
from semantic_id_ranking.trainer.ranker.carry_fn import carry_fn
from semantic_id_ranking.trainer.ranker.carry_fn import CarryArguments


class Executor(base_executor.BaseExecutor):
    """Calls `carry_fn` with the folders of the artifacts."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `examples`, `transform_graph`, `tokenizer`, `previous`,
                `previous_tokenizer`.
            output_dict: `model`, `ranker_state`.
            exec_properties: `custom_config` (JSON), `code_version`.
        """

        def uri(artifacts: dict[str, list[types.Artifact]], name: str) -> str:
            return artifact_utils.get_single_uri(artifacts[name])

        examples = artifact_utils.get_single_instance(input_dict["examples"])
        carry_fn(
            CarryArguments(
                examples=split_pattern(examples, "train"),
                transform_output=uri(input_dict, "transform_graph"),
                tokenizer=path_utils.serving_model_path(uri(input_dict, "tokenizer")),
                previous=uri(input_dict, "previous"),
                previous_tokenizer=path_utils.serving_model_path(
                    uri(input_dict, "previous_tokenizer")
                ),
                serving_model_dir=path_utils.serving_model_dir(uri(output_dict, "model")),
                ranker_state_dir=uri(output_dict, "ranker_state"),
                custom_config=json.loads(exec_properties["custom_config"]),
            )
        )
