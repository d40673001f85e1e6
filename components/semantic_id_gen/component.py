"""Component SemanticIdGen: inputs, outputs and parameters."""

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.semantic_id_gen import executor


class SemanticIdGenSpec(component_spec.ComponentSpec):
    """Interface of SemanticIdGen."""

    PARAMETERS = {"code_version": component_spec.ExecutionParameter(type=str)}
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "earlier": component_spec.ChannelParameter(type=SemanticIds, optional=True),
    }
    OUTPUTS = {"semantic_ids": component_spec.ChannelParameter(type=SemanticIds)}


class SemanticIdGen(base_beam_component.BaseBeamComponent):
    """Gives every item, of every split, its Semantic ID.

    Args:
        examples: Items, from ItemGen: features `item_id` and `embedding`.
        model: The semantic_id SavedModel.
        earlier: Semantic IDs of the same space, such as those of the day before: items whose
            content embedding is as it was keep theirs, and so do items that are gone.
    """

    SPEC_CLASS = SemanticIdGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        earlier: types.BaseChannel | None = None,
    ):
        super().__init__(
            SemanticIdGenSpec(
                examples=examples,
                model=model,
                earlier=earlier,
                code_version=code_version(executor.Executor),
                semantic_ids=types.Channel(type=SemanticIds),
            )
        )
