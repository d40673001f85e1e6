"""Component RefreshEvaluator: inputs, outputs and parameters."""

import dataclasses
import json

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import Predictions
from semantic_id_ranking.components.artifacts import RefreshReport
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.ranking_evaluator.parameters import EvaluationParameters
from semantic_id_ranking.components.refresh_evaluator import executor


class RefreshEvaluatorSpec(component_spec.ComponentSpec):
    """Interface of RefreshEvaluator."""

    PARAMETERS = {
        "parameters": component_spec.ExecutionParameter(type=str),
        "beam": component_spec.ExecutionParameter(type=int),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "earlier_rqvae": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "rqvae": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "earlier_semantic_ids": component_spec.ChannelParameter(type=SemanticIds),
        "semantic_ids": component_spec.ChannelParameter(type=SemanticIds),
        "earlier_predictions": component_spec.ChannelParameter(type=Predictions),
        "predictions": component_spec.ChannelParameter(type=Predictions),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {
        "report": component_spec.ChannelParameter(type=RefreshReport),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class RefreshEvaluator(base_component.BaseComponent):
    """Compares a refreshed SID space, and its ranker, with what is served.

    Rankers of two spaces cannot score the same examples: predictions of both are compared, each of
    the same impressions joined in its own space.

    Args:
        examples: The items, from ItemGen.
        earlier_rqvae: The RQ-VAE of the space before.
        rqvae: The refreshed one.
        earlier_semantic_ids: Semantic IDs of the space before.
        semantic_ids: The refreshed ones.
        earlier_predictions: Of RankingEvaluator, in the space before; `candidate` is the served
            ranker.
        predictions: Of RankingEvaluator, in the refreshed space; `candidate` is the new ranker,
            `served` the served one as it was carried, untrained.
        model: The new ranker, which is blessed or not.
        parameters: What the new ranker has to reach; the peer `served` is the served one.
        beam: `rqvae.beam`.
    """

    SPEC_CLASS = RefreshEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        earlier_rqvae: types.BaseChannel,
        rqvae: types.BaseChannel,
        earlier_semantic_ids: types.BaseChannel,
        semantic_ids: types.BaseChannel,
        earlier_predictions: types.BaseChannel,
        predictions: types.BaseChannel,
        model: types.BaseChannel,
        parameters: EvaluationParameters,
        beam: int,
    ):
        super().__init__(
            RefreshEvaluatorSpec(
                examples=examples,
                earlier_rqvae=earlier_rqvae,
                rqvae=rqvae,
                earlier_semantic_ids=earlier_semantic_ids,
                semantic_ids=semantic_ids,
                earlier_predictions=earlier_predictions,
                predictions=predictions,
                model=model,
                parameters=json.dumps(dataclasses.asdict(parameters)),
                beam=beam,
                code_version=code_version(executor.Executor),
                report=types.Channel(type=RefreshReport),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
