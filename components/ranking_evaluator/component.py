"""Component RankingEvaluator: inputs, outputs and parameters."""

import dataclasses
import json
from collections.abc import Iterable
from collections.abc import Mapping
from types import MappingProxyType

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
        "served": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {
        "predictions": component_spec.ChannelParameter(type=Predictions),
        "evaluation": component_spec.ChannelParameter(type=RankingEvaluation),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


def _spec_with(models: Iterable[str]) -> type[RankingEvaluatorSpec]:
    """The interface with inputs for more models: TFX has no input of several named ones."""
    of_model = component_spec.ChannelParameter(type=standard_artifacts.Model)
    inputs = RankingEvaluatorSpec.INPUTS | dict.fromkeys(models, of_model)
    return type(RankingEvaluatorSpec.__name__, (RankingEvaluatorSpec,), {"INPUTS": inputs})


class RankingEvaluator(base_beam_component.BaseBeamComponent):
    """Scores examples with rankers, computes their metrics by slice, and blesses the candidate.

    A ranker is any SavedModel whose signature `serving_default` takes serialized tf.Examples
    `examples`, strings [B], and answers float32 [B] for each task.

    Args:
        examples: Joined examples, from FeatureJoiner.
        semantic_ids: The Semantic IDs in them; a ranker of another SID space is refused.
        candidate: The ranker that is blessed or not.
        parameters: What is evaluated.
        baselines: The rankers among `parameters.baselines`, by name; inputs of the component that
            `baseline_input` names.
        served: The ranker that is served.
    """

    SPEC_CLASS = RankingEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        semantic_ids: types.BaseChannel,
        candidate: types.BaseChannel,
        parameters: EvaluationParameters,
        baselines: Mapping[str, types.BaseChannel] = MappingProxyType({}),
        served: types.BaseChannel | None = None,
    ):
        if set(baselines) != set(parameters.rankers):
            raise ValueError(
                f"baselines are {list(baselines)}, and the parameters name {parameters.rankers}"
            )
        inputs = {executor.baseline_input(name): model for name, model in baselines.items()}
        super().__init__(
            _spec_with(inputs)(
                **inputs,
                examples=examples,
                semantic_ids=semantic_ids,
                candidate=candidate,
                served=served,
                parameters=json.dumps(dataclasses.asdict(parameters)),
                code_version=code_version(executor.Executor),
                predictions=types.Channel(type=Predictions),
                evaluation=types.Channel(type=RankingEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
