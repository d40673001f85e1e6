"""Component RankingEvaluator: inputs, outputs and parameters."""

import dataclasses
import json

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import Predictions
from semantic_id_ranking.components.artifacts import RankingEvaluation
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.ranking_evaluator import executor
from semantic_id_ranking.components.ranking_evaluator.parameters import EvaluationParameters


class RankingEvaluatorSpec(component_spec.ComponentSpec):
    """Interface of RankingEvaluator."""

    PARAMETERS = {
        "parameters": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "semantic_ids": component_spec.ChannelParameter(type=SemanticIds),
        "candidate": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "baseline": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
        "served": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {
        "predictions": component_spec.ChannelParameter(type=Predictions),
        "evaluation": component_spec.ChannelParameter(type=RankingEvaluation),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class RankingEvaluator(base_beam_component.BaseBeamComponent):
    """Scores examples with rankers, computes their metrics by slice, and blesses the candidate.

    A ranker is any SavedModel whose signature `serving_default` takes serialized tf.Examples
    `examples`, strings [B], and answers float32 [B] for each task.

    Args:
        examples: Joined examples, from FeatureJoiner.
        semantic_ids: The Semantic IDs in them; a ranker of another SID space is refused.
        candidate: The ranker that is blessed or not.
        parameters: What is evaluated.
        baseline: A ranker to compare with.
        served: Another one.
    """

    SPEC_CLASS = RankingEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        semantic_ids: types.BaseChannel,
        candidate: types.BaseChannel,
        parameters: EvaluationParameters,
        baseline: types.BaseChannel | None = None,
        served: types.BaseChannel | None = None,
    ):
        super().__init__(
            RankingEvaluatorSpec(
                examples=examples,
                semantic_ids=semantic_ids,
                candidate=candidate,
                baseline=baseline,
                served=served,
                parameters=json.dumps(dataclasses.asdict(parameters)),
                code_version=code_version(executor.Executor),
                predictions=types.Channel(type=Predictions),
                evaluation=types.Channel(type=RankingEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
