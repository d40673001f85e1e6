"""The truth as one more model, and the shares of it that models reach."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.evaluation import slice_sums
from semantic_id_ranking.evaluation.attainable import shares_reached
from semantic_id_ranking.evaluation.attainable import TRUTH
from semantic_id_ranking.evaluation.attainable import with_truth
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.predictions import score_column
from semantic_id_ranking.evaluation.report import make_report
from tests.evaluation import worlds

EVENT = ("user", "item", "time")


@pytest.fixture
def predictions():
    return worlds.world()


@pytest.fixture
def truth(predictions):
    """That of the predictions in another order, of other impressions too, one of them twice."""
    count = len(predictions["time"])
    rows = np.random.default_rng(0).permutation(count)
    rows = np.append(rows, rows[7])
    expected = np.random.default_rng(1).random(count)
    found = {name: predictions[name][rows] for name in EVENT} | {"click": expected[rows]}
    other = {name: found[name][:5] for name in EVENT} | {"click": np.zeros(5)}
    other["time"] = other["time"] + 1
    return expected, {name: np.concatenate([found[name], other[name]]) for name in found}


def test_each_impression_gets_its_own_truth(predictions, truth):
    expected, columns = truth
    found = with_truth(predictions, columns, "truth.parquet")
    assert found[score_column(TRUTH, "click")] == pytest.approx(expected)
    assert set(found) - set(predictions) == {score_column(TRUTH, "click")}


def test_a_truth_that_lacks_impressions_is_refused(predictions, truth):
    columns = {name: values[3:-10] for name, values in truth[1].items()}
    with pytest.raises(
        InputError, match=r"^t\.parquet: lacks \d of the 3000 evaluated impressions"
    ):
        with_truth(predictions, columns, "t.parquet")


def test_the_truth_is_evaluated_like_a_model(predictions, truth):
    expected, columns = truth
    spec = EvaluationSpec({"click": "binary"}, ("candidate", TRUTH), ("all", "new"))
    both = with_truth(predictions, columns, "truth.parquet")
    histograms = slice_sums.histograms(both, spec)
    report = make_report(spec, histograms, slice_sums.slice_sums(both, spec, histograms))
    labels = predictions["label click"]
    rows = ~np.isnan(labels) & predictions["slice new"]
    models = report["tasks"]["click"]["slices"]["new"]["models"]
    aucs = {
        model: roc_auc_score(labels[rows], scores[rows])
        for model, scores in (
            (TRUTH, expected),
            ("candidate", predictions["score candidate click"]),
        )
    }
    assert {model: found["auc"] for model, found in models.items()} == pytest.approx(aucs)
    reached = shares_reached(models)
    assert set(reached) == {"candidate"}
    share = (aucs["candidate"] - 0.5) / (aucs[TRUTH] - 0.5)
    assert reached["candidate"]["auc"] == pytest.approx(share)


def test_shares_by_hand():
    """Half of .4 over chance, a quarter of .4 below an entropy of 1; below chance is negative."""
    models = {
        TRUTH: {"auc": 0.9, "gauc": 0.5, "normalized_entropy": 0.6, "log_loss": 0.4},
        "ranker": {"auc": 0.7, "gauc": 0.6, "normalized_entropy": 0.9, "log_loss": 0.5},
        "baseline": {"auc": 0.48, "gauc": None, "normalized_entropy": 1.2, "log_loss": 0.7},
    }
    assert shares_reached(models) == {
        "ranker": pytest.approx({"auc": 0.5, "gauc": None, "normalized_entropy": 0.25}),
        "baseline": pytest.approx({"auc": -0.05, "gauc": None, "normalized_entropy": -0.5}),
    }
    assert shares_reached({TRUTH: {"rmse": 1.0}, "ranker": {"rmse": 2.0}}) == {"ranker": {}}
