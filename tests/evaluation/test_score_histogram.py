import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.evaluation.score_histogram import MAX_BINS
from semantic_id_ranking.evaluation.score_histogram import ScoreHistogram


def log(rows, seed=0):
    """Logits and labels, the logits a rare event's: most probabilities are small."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-4, 1.5, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    return (logits + rng.normal(size=rows)).astype(np.float32), labels


def test_auc_and_placements_by_hand():
    labels = np.array([1, 1, 1, 0, 0])
    scores = np.array([0.9, 0.6, 0.3, 0.6, -0.1], np.float32)
    histogram = ScoreHistogram.of(scores, labels)
    # 0.9 beats both, 0.6 one and ties with the other, 0.3 beats one.
    assert histogram.auc == (2 + 1.5 + 1) / 6
    placements = histogram.placements(scores, labels)
    np.testing.assert_allclose(placements, [1, 0.75, 0.5, 0.5, 1])


@pytest.mark.parametrize("seed", range(5))
def test_few_scores_are_exact(seed):
    logits, labels = log(3000, seed)
    for scores in (logits, np.round(logits), -logits * 1e-30):
        histogram = ScoreHistogram.of(scores, labels)
        assert histogram.auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
        placements = histogram.placements(scores, labels)
        for of_class in (labels > 0, labels == 0):
            assert placements[of_class].mean() == pytest.approx(histogram.auc, abs=1e-12)


@pytest.mark.parametrize("transform", [lambda x: x, lambda x: 1 / (1 + np.exp(-x))])
def test_many_scores_are_near_in_a_bounded_number_of_bins(transform):
    logits, labels = log(400_000)
    scores = transform(logits).astype(np.float32)
    histogram = ScoreHistogram.of(scores, labels)
    assert MAX_BINS / 4 < len(histogram.bins) <= MAX_BINS
    assert histogram.auc == pytest.approx(roc_auc_score(labels, scores), abs=2e-6)
    assert histogram.examples == 400_000


def test_a_merge_is_the_histogram_of_all_in_any_order():
    logits, labels = log(300_000)
    parts = [
        ScoreHistogram.of(scores, of_part)
        for scores, of_part in zip(
            np.split(logits, [10, 200_000]), np.split(labels, [10, 200_000]), strict=True
        )
    ]
    whole = ScoreHistogram.of(logits, labels)
    assert whole.shift > 0
    first = ScoreHistogram.merge([ScoreHistogram.merge(parts[1:]), parts[0]])
    for merged in (first, ScoreHistogram.merge(parts)):
        assert merged.shift == whole.shift
        for name in ("bins", "positives", "negatives"):
            np.testing.assert_array_equal(getattr(merged, name), getattr(whole, name))
        np.testing.assert_allclose(merged.scores, whole.scores, rtol=1e-9)


def test_zeros_of_either_sign_are_equal():
    assert ScoreHistogram.of(np.array([0.0, -0.0], np.float32), np.array([0, 1])).auc == 0.5


def test_one_class_or_nothing_has_no_auc():
    for labels in (np.ones(3), np.zeros(3), np.empty(0)):
        histogram = ScoreHistogram.of(np.zeros(len(labels), np.float32), labels)
        assert histogram.auc is None
        assert ScoreHistogram.merge([histogram, histogram]).examples == 2 * len(labels)


def test_calibration_by_hand():
    # Two bins of two: means .25 against 1/2, .75 against 1/2.
    scores = np.array([0.125, 0.375, 0.625, 0.875], np.float32)
    found = ScoreHistogram.of(scores, np.array([1, 0, 0, 1])).calibration(bins=2)
    assert found == {
        "ece": 0.25,
        "curve": [
            {"examples": 2, "mean_prediction": 0.25, "mean_label": 0.5},
            {"examples": 2, "mean_prediction": 0.75, "mean_label": 0.5},
        ],
    }


def test_equal_scores_stay_in_one_bin_of_calibration():
    histogram = ScoreHistogram.of(np.full(100, 0.5, np.float32), np.arange(100) % 2)
    assert [point["examples"] for point in histogram.calibration()["curve"]] == [100]
    assert ScoreHistogram.of(np.empty(0, np.float32), np.empty(0)).calibration()["ece"] is None
