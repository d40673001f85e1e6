"""Component FeatureJoiner: inputs, outputs and parameters."""

import dataclasses
import json

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import UserHistories
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.feature_joiner import executor
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters


class FeatureJoinerSpec(component_spec.ComponentSpec):
    """Interface of FeatureJoiner."""

    PARAMETERS = {
        "parameters": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "impressions": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "items": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "semantic_ids": component_spec.ChannelParameter(type=SemanticIds),
    }
    OUTPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema),
        "histories": component_spec.ChannelParameter(type=UserHistories),
    }


class FeatureJoiner(base_beam_component.BaseBeamComponent):
    """Attaches Semantic IDs of candidate, current item and history to every impression.

    The history holds the user's positives strictly before the impression. Impressions of items
    without a Semantic ID are counted and kept out; too many of them stop the run.

    Args:
        impressions: From ImpressionGen, splits `train` and `eval`.
        items: From ItemGen.
        semantic_ids: From SemanticIdGen, of these items.
        parameters: What is joined.

    Its output `schema` describes the context features alone: those that Transform looks at.
    """

    SPEC_CLASS = FeatureJoinerSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        impressions: types.BaseChannel,
        items: types.BaseChannel,
        semantic_ids: types.BaseChannel,
        parameters: JoinParameters,
    ):
        super().__init__(
            FeatureJoinerSpec(
                impressions=impressions,
                items=items,
                semantic_ids=semantic_ids,
                parameters=json.dumps(dataclasses.asdict(parameters), sort_keys=True),
                code_version=code_version(executor.Executor),
                examples=types.Channel(type=standard_artifacts.Examples),
                schema=types.Channel(type=standard_artifacts.Schema),
                histories=types.Channel(type=UserHistories),
            )
        )
