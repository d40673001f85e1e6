"""Component DriftCheck: inputs, outputs and parameters."""

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import DriftReport
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.drift_check import executor


class DriftCheckSpec(component_spec.ComponentSpec):
    """Interface of DriftCheck."""

    PARAMETERS = {
        "refuse_stop": component_spec.ExecutionParameter(type=int),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "earlier": component_spec.ChannelParameter(type=SemanticIds),
        "tokenizer": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {"report": component_spec.ChannelParameter(type=DriftReport)}


class DriftCheck(base_component.BaseComponent):
    """Judges today's items by the training period's: keep the space, refresh it, or stop.

    Args:
        examples: Today's items, from ItemGen: features `item_id` and `embedding`.
        model: The frozen semantic_id SavedModel, with the profile of its training period.
        earlier: The Semantic IDs of the day before.
        tokenizer: The SID tokenizer, by which new items' pieces are judged too.
        refuse_stop: Whether the verdict "stop" stops the run.
    """

    SPEC_CLASS = DriftCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        earlier: types.BaseChannel,
        tokenizer: types.BaseChannel | None = None,
        refuse_stop: bool = False,
    ):
        super().__init__(
            DriftCheckSpec(
                examples=examples,
                model=model,
                earlier=earlier,
                tokenizer=tokenizer,
                refuse_stop=int(refuse_stop),
                code_version=code_version(executor.Executor),
                report=types.Channel(type=DriftReport),
            )
        )
