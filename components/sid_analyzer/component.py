"""Component SidAnalyzer: inputs, outputs and parameters."""

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import SidReport
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.sid_analyzer import executor


class SidAnalyzerSpec(component_spec.ComponentSpec):
    """Interface of SidAnalyzer."""

    PARAMETERS = {"code_version": component_spec.ExecutionParameter(type=str)}
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "semantic_ids": component_spec.ChannelParameter(type=SemanticIds),
    }
    OUTPUTS = {"report": component_spec.ChannelParameter(type=SidReport)}


class SidAnalyzer(base_component.BaseComponent):
    """Reports on the Semantic IDs: use of the codebooks, uniqueness, reconstruction, hierarchy.

    Args:
        examples: Items, from ItemGen.
        model: The semantic_id SavedModel.
        semantic_ids: What SemanticIdGen made of both.
    """

    SPEC_CLASS = SidAnalyzerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        semantic_ids: types.BaseChannel,
    ):
        super().__init__(
            SidAnalyzerSpec(
                examples=examples,
                model=model,
                semantic_ids=semantic_ids,
                code_version=code_version(executor.Executor),
                report=types.Channel(type=SidReport),
            )
        )
