"""Interfaces of the components: inputs, outputs and cache keys."""

import dataclasses
import importlib
import json

import pytest
from tfx import types
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import DriftReport
from semantic_id_ranking.components.artifacts import Predictions
from semantic_id_ranking.components.artifacts import RankerState
from semantic_id_ranking.components.artifacts import RankingEvaluation
from semantic_id_ranking.components.artifacts import ReleasedModels
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import SidReport
from semantic_id_ranking.components.artifacts import State
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.drift_check.component import DriftCheck
from semantic_id_ranking.components.feature_joiner.component import FeatureJoiner
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.ranker_trainer.component import RankerTrainer
from semantic_id_ranking.components.ranking_evaluator.component import RankingEvaluator
from semantic_id_ranking.components.ranking_evaluator.parameters import EvaluationParameters
from semantic_id_ranking.components.releaser.component import Releaser
from semantic_id_ranking.components.semantic_id_gen.component import SemanticIdGen
from semantic_id_ranking.components.sid_analyzer.component import SidAnalyzer
from semantic_id_ranking.components.sid_tokenizer_trainer.component import SidTokenizerTrainer
from semantic_id_ranking.components.vocabulary_grower.component import VocabularyGrower
from semantic_id_ranking.evaluation.slices import SLICE_FEATURES
from semantic_id_ranking.evaluation.threshold_config import ThresholdConfig

EXAMPLES, MODEL = standard_artifacts.Examples, standard_artifacts.Model
GRAPH = standard_artifacts.TransformGraph
JOIN = {
    "labels": {"click": "clicked"},
    "regressions": [],
    "positive": "clicked",
    "categorical": ["tab"],
    "numeric": [],
    "history_length": 3,
    "new_days": 1.0,
    "head_share": 0.5,
    "torso_share": 0.3,
    "max_unknown_fraction": 0.2,
    "shards": 3,
    "item_column": "film",
    "impressions": "log.parquet",
}
EVALUATION = EvaluationParameters(
    {"watch": "regression", "click": "binary"},
    SLICE_FEATURES,
    (ThresholdConfig("click", change=0.0, at="lower"),),
)
# The component; its inputs, parameters, outputs, and parameters as its executor gets them.
CASES = {
    SemanticIdGen: (
        {"examples": EXAMPLES, "model": MODEL, "earlier": SemanticIds},
        {},
        {"semantic_ids": SemanticIds},
        {},
    ),
    DriftCheck: (
        {"examples": EXAMPLES, "model": MODEL, "earlier": SemanticIds, "tokenizer": MODEL},
        {},
        {"report": DriftReport},
        {},
    ),
    SidAnalyzer: (
        {"examples": EXAMPLES, "model": MODEL, "semantic_ids": SemanticIds},
        {},
        {"report": SidReport},
        {},
    ),
    SidTokenizerTrainer: (
        {"semantic_ids": SemanticIds, "examples": EXAMPLES, "rqvae": MODEL},
        {"rows": 40, "config": {"model": "bpe"}},
        {"model": MODEL},
        {"rows": 40, "config": '{"model": "bpe"}'},
    ),
    RankerTrainer: (
        {
            "examples": EXAMPLES,
            "transform_graph": GRAPH,
            "tokenizer": MODEL,
            "previous": RankerState,
        },
        {"custom_config": {"history_length": 3}},
        {
            "model": MODEL,
            "model_run": standard_artifacts.ModelRun,
            "ranker_state": RankerState,
        },
        {"custom_config": '{"history_length": 3}'},
    ),
    VocabularyGrower: (
        {"examples": EXAMPLES, "transform_graph": GRAPH},
        {"categorical": ("tab", "page")},
        {"grown_graph": GRAPH},
        {"categorical": '["tab", "page"]'},
    ),
    FeatureJoiner: (
        {
            "impressions": EXAMPLES,
            "items": EXAMPLES,
            "semantic_ids": SemanticIds,
            "earlier_state": State,
        },
        {"parameters": JoinParameters.from_dict(JOIN)},
        {
            "examples": EXAMPLES,
            "schema": standard_artifacts.Schema,
            "state": State,
        },
        {},
    ),
    RankingEvaluator: (
        {
            "examples": EXAMPLES,
            "semantic_ids": SemanticIds,
            "candidate": MODEL,
            "served": MODEL,
        },
        {"parameters": EVALUATION},
        {
            "predictions": Predictions,
            "evaluation": RankingEvaluation,
            "blessing": standard_artifacts.ModelBlessing,
        },
        {},
    ),
    Releaser: (
        {
            "ranker": MODEL,
            "semantic_id": MODEL,
            "semantic_ids": SemanticIds,
            "state": State,
            "model_blessing": standard_artifacts.ModelBlessing,
        },
        {"serving": "/models", "config": {"serving": {"keep_versions": 2}}},
        {"release": ReleasedModels},
        {"serving": "/models", "config": '{"serving": {"keep_versions": 2}}'},
    ),
}


def make(component, **changed):
    inputs, parameters, _, _ = CASES[component]
    channels = {name: types.Channel(type=kind) for name, kind in inputs.items()}
    return component(**(channels | parameters | changed)), channels


@pytest.mark.parametrize("component", CASES, ids=lambda component: component.__name__)
def test_its_channels_are_those_of_its_interface(component):
    made, channels = make(component)
    assert {name: made.inputs[name] for name in channels} == channels
    _, _, outputs, expected = CASES[component]
    assert {name: channel.type for name, channel in made.outputs.items()} == outputs
    assert {name: made.exec_properties[name] for name in expected} == expected


@pytest.mark.parametrize("component", CASES, ids=lambda component: component.__name__)
def test_an_input_of_another_type_is_refused(component):
    for name in CASES[component][0]:
        with pytest.raises(TypeError, match=name):
            make(component, **{name: types.Channel(type=standard_artifacts.Schema)})


@pytest.mark.parametrize("component", CASES, ids=lambda component: component.__name__)
def test_its_cache_depends_on_the_code_of_its_own_executor(component):
    made, _ = make(component)
    module = importlib.import_module(component.__module__.removesuffix("component") + "executor")
    assert made.executor_spec.executor_class is module.Executor
    assert made.exec_properties["code_version"] == code_version(module.Executor)


def test_a_ranker_is_trained_anew_without_a_previous_state():
    inputs, parameters, _, _ = CASES[RankerTrainer]
    channels = {name: types.Channel(type=kind) for name, kind in inputs.items()}
    del channels["previous"]
    assert set(RankerTrainer(**channels, **parameters).inputs) == set(channels)


def test_join_parameters_arrive_as_they_were_given():
    made, _ = make(FeatureJoiner)
    found = JoinParameters.from_dict(json.loads(made.exec_properties["parameters"]))
    assert found == JoinParameters.from_dict(JOIN)
    assert (found.history_length, list(found.categorical)) == (3, ["tab"])


def test_an_evaluator_knows_tasks_in_their_order_slices_and_thresholds():
    made, _ = make(RankingEvaluator)
    found = EvaluationParameters.from_dict(json.loads(made.exec_properties["parameters"]))
    assert found == EVALUATION
    assert list(found.tasks) == ["watch", "click"]


def test_an_evaluator_needs_a_candidate_alone():
    made, _ = make(RankingEvaluator, served=None)
    assert set(made.inputs) == {"examples", "semantic_ids", "candidate"}


def test_an_evaluator_has_an_input_for_each_baseline_that_is_a_ranker():
    parameters = dataclasses.replace(EVALUATION, baselines=("item_rate", "random_hash", "dense"))
    models = {name: types.Channel(type=MODEL) for name in ("random_hash", "dense")}
    made, _ = make(RankingEvaluator, parameters=parameters, baselines=models)
    for name, model in models.items():
        assert made.inputs[f"baseline_{name}"] is model
    assert set(make(RankingEvaluator)[0].inputs).isdisjoint(
        {"baseline_random_hash", "baseline_dense"}
    )
    with pytest.raises(ValueError, match=r"\['dense'\], and the parameters name \('random_hash'"):
        make(RankingEvaluator, parameters=parameters, baselines={"dense": models["dense"]})
