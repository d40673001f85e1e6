import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.evaluation.bootstrap import draw_clusters
from semantic_id_ranking.evaluation.bootstrap import interval
from semantic_id_ranking.evaluation.bootstrap import resampled_auc
from semantic_id_ranking.evaluation.bootstrap import seed_mean
from semantic_id_ranking.evaluation.metrics import auc
from semantic_id_ranking.evaluation.metrics import normalized_entropy
from semantic_id_ranking.evaluation.metrics import report
from semantic_id_ranking.evaluation.metrics import user_auc


@pytest.fixture
def log():
    """Labels, predictions with ties, and users."""
    rng = np.random.default_rng(3)
    user = rng.integers(0, 12, 300)
    labels = (rng.random(300) < 0.3).astype(np.float32)
    predictions = np.round(rng.random(300) * 0.8 + 0.1 * labels, 1).astype(np.float32)
    return labels, predictions, user


def test_normalized_entropy_by_hand():
    labels = np.array([1.0, 0.0, 0.0, 0.0], np.float32)
    mean = np.full(4, 0.25, np.float32)
    assert normalized_entropy(labels, mean) == pytest.approx(1.0)
    # Mean log loss of 0.5 everywhere is log 2; the entropy of 1/4 is log 4 - 3/4 log 3.
    half = np.full(4, 0.5, np.float32)
    expected = np.log(2) / (np.log(4) - 0.75 * np.log(3))
    assert normalized_entropy(labels, half) == pytest.approx(expected)


def test_user_auc_is_the_weighted_mean_of_each_users(log):
    labels, predictions, user = log
    user[:2] = 99  # Of one class only: does not count.
    labels[:2] = 1
    total = weight = 0.0
    for one in set(user.tolist()) - {99}:
        mine = user == one
        total += mine.sum() * roc_auc_score(labels[mine], predictions[mine])
        weight += mine.sum()
    assert user_auc(labels, predictions, user) == pytest.approx(total / weight)


def test_user_auc_ignores_levels_between_users():
    labels = np.array([0, 1, 0, 1], np.float32)
    predictions = np.array([0.1, 0.2, 0.8, 0.9], np.float32)
    assert user_auc(labels, predictions, np.array([5, 5, 2, 2])) == 1.0
    assert auc(labels, predictions) == 0.75


def test_metrics_of_one_class_or_nothing_are_none():
    ones, none = np.ones(3, np.float32), np.empty(0, np.float32)
    for labels in (ones, none):
        user = np.arange(len(labels))
        result = report("binary", labels, labels * 0.5, user)
        assert result["examples"] == len(labels)
        assert result["auc"] is result["normalized_entropy"] is result["user_auc"] is None


def test_regressions_report_their_error():
    labels, predictions = np.array([1.0, 3.0]), np.array([1.0, 0.0])
    result = report("regression", labels, predictions, np.zeros(2, int))
    assert result == {"examples": 2, "rmse": pytest.approx(np.sqrt(4.5))}


def test_resampled_auc_is_that_of_the_repeated_log(log):
    labels, predictions, user = log
    draws = draw_clusters(12, resamples=5, seed=1)
    assert (draws.sum(axis=1) == 12).all()
    aucs = resampled_auc(labels, predictions, user, draws)
    for draw, value in zip(draws, aucs, strict=True):
        rows = np.repeat(np.arange(300), draw[user].astype(int))
        assert value == pytest.approx(roc_auc_score(labels[rows], predictions[rows]))


def test_a_draw_of_one_class_has_no_auc():
    labels, predictions = np.array([0.0, 1.0]), np.array([0.2, 0.1])
    draws = np.array([[1, 1], [2, 0]], np.float32)
    aucs = resampled_auc(labels, predictions, np.array([0, 1]), draws)
    assert aucs[0] == 0.0
    assert np.isnan(aucs[1])
    assert np.isnan(resampled_auc(labels[:0], predictions[:0], np.empty(0, int), draws)).all()


def test_the_bootstraps_spread_is_that_of_repeated_experiments():
    rng = np.random.default_rng(0)

    def experiment():
        taste = rng.normal(size=60)  # A user's impressions hang together.
        user = np.repeat(np.arange(60), 20)
        labels = (rng.random(1200) < 0.4).astype(np.float64)
        return labels, labels + taste[user] + rng.normal(size=1200), user

    repeated = [roc_auc_score(*experiment()[:2]) for _ in range(200)]
    spreads = []
    for _ in range(10):
        labels, predictions, user = experiment()
        spreads.append(resampled_auc(labels, predictions, user, draw_clusters(60, 100)).std())
    assert np.mean(spreads) == pytest.approx(np.std(repeated), rel=0.25)


def test_interval_leaves_nan_out():
    samples = np.concatenate([np.arange(101.0), [np.nan]])
    assert interval(samples) == pytest.approx([2.5, 97.5])
    assert np.isnan(interval(np.array([np.nan]))).all()


def test_seed_noise_widens_the_mean():
    samples = np.repeat([[0.0], [1.0]], 4000, axis=1)  # Two seeds, without any noise of users.
    drawn = seed_mean(samples)
    values, counts = np.unique(drawn, return_counts=True)
    np.testing.assert_array_equal(values, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(counts / 4000, [0.25, 0.5, 0.25], atol=0.03)
