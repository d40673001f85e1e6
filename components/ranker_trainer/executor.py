"""Executor of RankerTrainer."""

import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from semantic_id_ranking.components.examples import split_pattern
from semantic_id_ranking.trainer.ranker.run_fn import run_fn
from semantic_id_ranking.trainer.ranker.run_fn import TrainingArguments


class Executor(base_executor.BaseExecutor):
    """Calls `run_fn` with the folders of the artifacts, in every process of a cluster."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `examples`, `transform_graph`, `tokenizer`; optionally `previous`.
            output_dict: `model`, `model_run`, `ranker_state`.
            exec_properties: `splits` and `custom_config` (JSON), `code_version`.
        """

        def uri(artifacts: dict[str, list[types.Artifact]], name: str) -> str:
            return artifact_utils.get_single_uri(artifacts[name])

        days = sorted(input_dict["examples"], key=lambda examples: examples.span)
        splits = json.loads(exec_properties["splits"])
        trained_on = [
            (day.span, split_pattern(day, split))
            for day in days
            for split in splits.get(str(day.span), ["train"])
        ]
        run_fn(
            TrainingArguments(
                train_files=[pattern for _, pattern in trained_on],
                eval_files=[split_pattern(days[-1], "eval")],
                days=[span for span, _ in trained_on],
                transform_output=uri(input_dict, "transform_graph"),
                tokenizer=path_utils.serving_model_path(uri(input_dict, "tokenizer")),
                previous=uri(input_dict, "previous") if input_dict.get("previous") else None,
                serving_model_dir=path_utils.serving_model_dir(uri(output_dict, "model")),
                model_run_dir=uri(output_dict, "model_run"),
                ranker_state_dir=uri(output_dict, "ranker_state"),
                # Other code does not go on from the checkpoints of this one.
                custom_config={
                    **json.loads(exec_properties["custom_config"]),
                    "code_version": exec_properties["code_version"],
                },
            )
        )
