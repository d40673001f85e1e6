"""RankingEvaluator on Beam: examples and rankers in, predictions, metrics and a blessing out."""

import dataclasses
import glob
import json
import os
import pathlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import Predictions
from semantic_id_ranking.components.artifacts import RankingEvaluation
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.ranking_evaluator.executor import Executor
from semantic_id_ranking.components.ranking_evaluator.parameters import EvaluationParameters
from semantic_id_ranking.components.ranking_evaluator.prediction_table import read_predictions
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.predictions import concatenate
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.evaluation.slice_sums import histograms
from semantic_id_ranking.evaluation.slice_sums import slice_sums
from semantic_id_ranking.evaluation.slices import SLICE_FEATURES
from semantic_id_ranking.evaluation.threshold_config import ThresholdConfig
from tests.components.artifact_files import artifact
from tests.components.artifact_files import beam_context
from tests.components.artifact_files import example
from tests.components.artifact_files import write_example_files
from tests.evaluation.exact_metrics import check_report

SPACE = SidSpace("0123456789abcdef", 2, 4, 2)
TASKS = {"watch": "regression", "click": "binary"}
DAY = 86_400_000_000
ROWS = 900
BASELINES = ("item_rate", "random_hash", "dense")
INPUTS = {name: name for name in ("candidate", "served")}


class Ranker(tf.Module):
    """Mixes what is known of an example with its noise; `click` is rounded, so scores tie."""

    def __init__(self, noise, outputs):
        super().__init__()
        self.noise = tf.Variable(float(noise))
        self.outputs = outputs

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve(self, examples):
        spec = {name: tf.io.FixedLenFeature([], tf.float32) for name in ("known", "noise")}
        parsed = tf.io.parse_example(examples, spec)
        logit = parsed["known"] + self.noise * parsed["noise"]
        answers = {"click": tf.round(100 * tf.sigmoid(logit)) / 100, "watch": 3 * logit}
        return {task: answers[task] for task in self.outputs}


def export(folder, noise, space=SPACE, outputs=tuple(TASKS)):
    """The artifact of a ranker."""
    result = artifact(standard_artifacts.Model, folder)
    path = str(folder / "Format-Serving")
    model = Ranker(noise, outputs)
    tf.saved_model.save(model, path, {"serving_default": model.serve})
    space.save(os.path.join(path, "assets.extra"))
    write_file_digests(path)
    return result


def log(rows=ROWS):
    """Joined examples: 40 users and some without one, three days, ties, labels left out."""
    rng = np.random.default_rng(0)
    examples = []
    taste = rng.normal(size=40)
    for _ in range(rows):
        user, item = int(rng.integers(40)), int(rng.integers(30))
        known = float(taste[user] + rng.normal())
        features = {
            "candidate_item_id": b"item%d" % item,
            "timestamp": int(rng.integers(3 * DAY)),
            "slice_age": b"new" if item % 5 == 0 else b"old",
            # No item was unseen.
            "slice_seen": b"seen",
            "slice_popularity": [b"head", b"torso", b"tail"][item % 3],
            "label_click": float(rng.random() < 1 / (1 + np.exp(-known))),
            "weight_click": float(rng.random() < 0.9),
            "label_watch": float(3 * known + rng.normal()),
            "weight_watch": 1.0,
            "item_rate_click": 0.25 + item / 60,
            "item_rate_watch": 0.125,
            "known": known,
            "noise": float(rng.normal()),
        }
        if rng.random() < 0.95:
            features["user_id"] = b"user%d" % user
        if not features["weight_click"]:
            features["label_click"] = 0.0
        examples.append(example(**features))
    return examples


def thresholds(*given, baselines=()):
    return EvaluationParameters(TASKS, SLICE_FEATURES, given, baselines=baselines)


@dataclasses.dataclass
class Evaluated:
    """What the component wrote."""

    report: dict
    blessing: object
    folder: pathlib.Path

    @property
    def predictions(self):
        paths = sorted(glob.glob(f"{self.folder}/predictions/*.parquet"))
        return pa.concat_tables([pq.read_table(path) for path in paths]).to_pandas()


def evaluate(folder, models, files, parameters):
    """Runs the executor on files of examples."""
    folder.mkdir(exist_ok=True)
    examples = artifact(standard_artifacts.Examples, folder / "examples")
    write_example_files(examples, train=[[b"never read"]], eval=files)
    sids = artifact(SemanticIds, folder / "sids")
    pq.write_table(sid_table.schema(SPACE).empty_table(), f"{sids.uri}/sids-0.parquet")
    outputs = {
        "predictions": [artifact(Predictions, folder / "predictions")],
        "evaluation": [artifact(RankingEvaluation, folder / "evaluation")],
        "blessing": [artifact(standard_artifacts.ModelBlessing, folder / "blessing")],
    }
    Executor(beam_context(folder / "tmp")).Do(
        {"examples": [examples], "semantic_ids": [sids]}
        | {INPUTS.get(name, f"baseline_{name}"): [model] for name, model in models.items()},
        outputs,
        {"parameters": json.dumps(dataclasses.asdict(parameters))},
    )
    report = json.loads((folder / "evaluation" / "metrics.json").read_text())
    return Evaluated(report, outputs["blessing"][0], folder)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models = {
        "candidate": export(folder / "candidate", 0.3),
        "random_hash": export(folder / "random_hash", 2.0),
        "dense": export(folder / "dense", 1.0),
        "served": export(folder / "served", 0.4),
    }
    for number, model in enumerate(models.values()):
        model.id = 10 + number
    return models


@pytest.fixture(scope="module")
def examples():
    return log()


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, models, examples):
    files = [examples[:500], [], examples[500:]]
    bar = ThresholdConfig("click", value=0.5, change=0.01, at="lower")
    parameters = thresholds(bar, baselines=BASELINES)
    return evaluate(tmp_path_factory.mktemp("evaluated"), models, files, parameters)


def test_predictions_are_the_examples_in_order_with_the_models_scores(evaluated, models, examples):
    frame = evaluated.predictions
    parsed = [tf.train.Example.FromString(one).features.feature for one in examples]
    ids = [one["candidate_item_id"].bytes_list.value[0].decode() for one in parsed]
    assert frame["item_id"].tolist() == ids
    users = [[u.decode() for u in one["user_id"].bytes_list.value] for one in parsed]
    assert [[] if user is None else [user] for user in frame["user_id"]] == users
    assert 0 < frame["user_id"].isna().sum() < ROWS
    times = [one["timestamp"].int64_list.value[0] for one in parsed]
    since = frame["timestamp"] - pd.Timestamp(0, tz="UTC")
    assert (since // pd.Timedelta(microseconds=1)).tolist() == times
    for name, model in models.items():
        serve = tf.saved_model.load(f"{model.uri}/Format-Serving").signatures["serving_default"]
        for task, scores in serve(tf.constant(examples)).items():
            found = frame[f"score_{name}_{task}"]
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, scores)


def test_an_items_rate_is_scored_without_a_model(evaluated, examples):
    frame = evaluated.predictions
    parsed = [tf.train.Example.FromString(one).features.feature for one in examples]
    for task in TASKS:
        expected = [one[f"item_rate_{task}"].float_list.value[0] for one in parsed]
        assert frame[f"score_item_rate_{task}"].tolist() == expected


def test_every_number_is_that_of_exact_code_on_the_predictions(evaluated):
    check_report(evaluated.report, evaluated.predictions)
    # Else that would say little.
    click = evaluated.report["tasks"]["click"]["slices"]
    assert click["all"]["examples"] < ROWS
    assert click["new"]["models"]["candidate"]["gauc"] > 0.5
    assert list(evaluated.report["tasks"]) == list(TASKS)


def test_the_metrics_can_be_made_again_from_the_predictions(evaluated):
    spec = EvaluationSpec(TASKS, ("candidate", "served"))
    blocks = list(read_predictions(f"{evaluated.folder}/predictions", spec))
    assert [len(block["item"]) for block in blocks] == [500, 0, 400]
    block = concatenate(blocks)
    found = histograms(block, spec)
    again = make_report(spec, found, slice_sums(block, spec, found))
    for task in TASKS:
        for name, of_slice in again["tasks"][task]["slices"].items():
            report = evaluated.report["tasks"][task]["slices"][name]
            # To the digit it is not: sums were added up in another order.
            for metric, difference in of_slice["differences"]["served"].items():
                assert difference == pytest.approx(report["differences"]["served"][metric])


def test_a_slice_without_examples_says_so(evaluated):
    unseen = evaluated.report["tasks"]["click"]["slices"]["unseen"]
    assert unseen["models"]["candidate"]["auc"] is None
    assert unseen["models"]["candidate"]["why_not"] == "no examples"
    assert unseen["differences"]["random_hash"]["auc"] == dict.fromkeys(
        ("estimate", "low", "high", "gain")
    )
    assert unseen["caution"] == "0 positives, fewer than 50"


def test_the_better_model_is_found_better(evaluated):
    differences = evaluated.report["tasks"]["click"]["slices"]["all"]["differences"]
    assert list(differences) == [*BASELINES, "served"]
    assert evaluated.report["baselines"] == list(BASELINES)
    for metric, sign in (("auc", 1), ("gauc", 1), ("log_loss", -1)):
        found = differences["random_hash"][metric]
        assert found["gain"] == "better"
        assert min(sign * found["low"], sign * found["high"]) > 0
    assert (
        evaluated.report["tasks"]["watch"]["slices"]["all"]["differences"]["random_hash"]["rmse"][
            "gain"
        ]
        == "better"
    )


def test_the_result_does_not_depend_on_the_files(evaluated, models, examples, tmp_path):
    shuffled = [examples[i] for i in np.random.default_rng(1).permutation(ROWS)]
    parameters = thresholds(baselines=BASELINES)
    other = evaluate(tmp_path / "other", models, [shuffled], parameters)
    for task in TASKS:
        for name, of_slice in evaluated.report["tasks"][task]["slices"].items():
            again = other.report["tasks"][task]["slices"][name]
            assert again["users"] == of_slice["users"]
            for model, values in of_slice["models"].items():
                expected = pd.json_normalize(values).drop(
                    columns="calibration_curve", errors="ignore"
                )
                found = pd.json_normalize(again["models"][model])
                pd.testing.assert_frame_equal(found[expected.columns], expected, rtol=1e-9)


def test_what_reaches_its_thresholds_is_blessed_as_pushers_read_it(evaluated, models):
    assert evaluated.report["missed"] == []
    assert os.listdir(evaluated.blessing.uri) == ["BLESSED"]
    blessing = evaluated.blessing
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_int_custom_property("current_model_id") == 10
    assert blessing.get_string_custom_property("current_model") == models["candidate"].uri
    assert blessing.get_int_custom_property("baseline_model_id") == 11


def test_what_misses_one_is_not(models, examples, tmp_path):
    only = {"candidate": models["candidate"]}
    bars = thresholds(
        ThresholdConfig("click", slice="unseen", value=0.1), ThresholdConfig("click", change=-1.0)
    )
    found = evaluate(tmp_path, only, [examples[:50]], bars)
    assert found.report["missed"] == [
        "task click, slice unseen: no AUC (no examples), and the threshold is 0.1",
        "task click, slice all: a baseline was not evaluated, and there is the threshold of a gain "
        "of -1.0",
    ]
    assert os.listdir(found.blessing.uri) == ["NOT_BLESSED"]
    assert found.blessing.get_int_custom_property("blessed") == 0


@pytest.mark.parametrize(
    ("options", "files", "said"),
    [
        (
            {"space": SidSpace("fedcba9876543210", 2, 4, 2)},
            [[b""]],
            r"nothing is evaluated: \S+/Format-Serving \(candidate\) lives in SID space "
            r"fedcba9876543210 but the examples' Semantic IDs, \S+, in 0123456789abcdef",
        ),
        (
            {"outputs": ("watch",)},
            None,
            "serving_default of the candidate answers watch; an output",
        ),
        ({"noise": np.nan}, None, "0 of them finite, for 3 examples; a finite number for each"),
        ({}, [[]], "no example is in split eval; there is nothing to evaluate"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_name(options, files, said, examples, tmp_path):
    candidate = export(tmp_path / "candidate", **{"noise": 1.0, **options})
    with pytest.raises(Exception, match=said) as raised:
        evaluate(tmp_path, {"candidate": candidate}, files or [examples[:3]], thresholds())
    error = raised.value
    while not isinstance(error, InputError):
        error = error.__cause__ or error.__context__
