"""Component FeatureJoiner: inputs, outputs and parameters."""

import dataclasses
import json

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import State
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.feature_joiner import executor
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters


class FeatureJoinerSpec(component_spec.ComponentSpec):
    """Interface of FeatureJoiner."""

    PARAMETERS = {
        "parameters": component_spec.ExecutionParameter(type=str),
        "span": component_spec.ExecutionParameter(type=int),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "impressions": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "items": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "semantic_ids": component_spec.ChannelParameter(type=SemanticIds),
        "earlier_state": component_spec.ChannelParameter(type=State, optional=True),
    }
    OUTPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema),
        "state": component_spec.ChannelParameter(type=State),
    }


class FeatureJoiner(base_beam_component.BaseBeamComponent):
    """Attaches Semantic IDs, and what was known before, to every impression.

    That is the user's history and, if they are configured, counters of item and user: of the days
    before the impression's, or of all strictly before it. Impressions of items without a Semantic
    ID are counted and kept out; too many of them stop the run. What is known after the last
    impression is the state that the next log, or day, is joined with: joining day by day, each with
    the state before, and joining all at once come to the same examples and the same state.

    Args:
        impressions: From ImpressionGen, splits `train` and `eval`.
        items: From ItemGen.
        semantic_ids: From SemanticIdGen, of these items and of those that were there before.
        parameters: What is joined.
        earlier_state: The state before these impressions, of this component; None: nothing is known
            before them.
        span: Of the joined examples: the number of their day.

    Its output `schema` describes the features alone that Transform looks at: the context and, where
    there are counters, the labels of binary tasks.
    """

    SPEC_CLASS = FeatureJoinerSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        impressions: types.BaseChannel,
        items: types.BaseChannel,
        semantic_ids: types.BaseChannel,
        parameters: JoinParameters,
        earlier_state: types.BaseChannel | None = None,
        span: int = 0,
    ):
        super().__init__(
            FeatureJoinerSpec(
                impressions=impressions,
                items=items,
                semantic_ids=semantic_ids,
                earlier_state=earlier_state,
                span=span,
                parameters=json.dumps(dataclasses.asdict(parameters), sort_keys=True),
                code_version=code_version(executor.Executor),
                examples=types.Channel(type=standard_artifacts.Examples),
                schema=types.Channel(type=standard_artifacts.Schema),
                state=types.Channel(type=State),
            )
        )
