import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.evaluation import predictions as lib
from semantic_id_ranking.evaluation.delong import auc_difference_variance
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.intervals import standard_errors
from semantic_id_ranking.evaluation.score_histogram import ScoreHistogram
from semantic_id_ranking.evaluation.slice_sums import histograms
from semantic_id_ranking.evaluation.slice_sums import slice_sums
from tests.evaluation.worlds import world

ONLY_CLICK = EvaluationSpec({"click": "binary"}, ("candidate", "random_hash"), ("all", "tail"))


def impressions(labels, first, second):
    """Terms of impressions that are each a cluster."""
    labels = np.array(labels, np.float64)
    terms = {"examples": np.ones(len(labels)), "label": labels}
    for name, scores in (("one", first), ("two", second)):
        scores = np.array(scores, np.float32)
        placements = ScoreHistogram.of(scores, labels).placements(scores, labels)
        terms[f"positive_placement {name}"] = placements * labels
        terms[f"negative_placement {name}"] = placements * (1 - labels)
    return terms


def test_delong_by_hand():
    # One model places the positives at 1, 1, 1/2 and the negatives at 2/3, 1; the other gives all
    # one score, and places everything at 1/2. The variances of what is left, 1/2, 1/2, 0 and 1/6,
    # 1/2, are 1/12 and 1/18; by the numbers of positives and negatives, 1/36 and 1/36.
    terms = impressions([1, 1, 1, 0, 0], [0.9, 0.6, 0.3, 0.5, 0.1], [0.5] * 5)
    assert auc_difference_variance(terms, "one", "two") == pytest.approx(1 / 18)
    assert auc_difference_variance(terms, "one", "one") == 0


def test_obuchowski_by_hand():
    # The same with two clusters: the first positive and negative, and the others. What they add:
    # positives (1/2 - 1/3) / 3 = 1/18 and -1/18, negatives (1/6 - 1/3) / 2 = -1/12 and 1/12; each
    # class is in 2 clusters: 2 (2/324 + 2/144 - 2 * 2/216) = 2 * 2 * (1/12 - 1/18)^2.
    terms = impressions([1, 1, 1, 0, 0], [0.9, 0.6, 0.3, 0.5, 0.1], [0.5] * 5)
    cluster = np.array([0, 1, 1, 0, 1])
    sums = {name: np.bincount(cluster, values) for name, values in terms.items()}
    assert auc_difference_variance(sums, "one", "two") == pytest.approx(4 / 36**2)


def test_one_cluster_of_a_class_has_no_interval():
    terms = impressions([1, 0, 0], [0.9, 0.6, 0.3], [0.5] * 3)
    assert np.isnan(auc_difference_variance(terms, "one", "two"))


def resampled(columns, cluster, metric, draws=400):
    """The spread of a metric's difference over logs of drawn clusters, recomputed from rows."""
    rng = np.random.default_rng(5)
    ids, cluster = np.unique(cluster, return_inverse=True)
    rows_of = [np.flatnonzero(cluster == number) for number in range(len(ids))]
    labels = columns["label click"]
    found = []
    for _ in range(draws):
        chosen = rng.integers(0, len(ids), len(ids))
        rows = np.concatenate([rows_of[number] for number in chosen])
        one, other = (
            metric(labels[rows], columns[f"score {model} click"][rows].astype(np.float64))
            for model in ONLY_CLICK.models
        )
        found.append(one - other)
    return np.std(found, ddof=1)


@pytest.fixture(scope="module")
def labelled():
    """A log of 90 users whose every impression has a label and a user."""
    columns = world(2000, users=90, items=60, without_user=0.0)
    return lib.select(columns, ~np.isnan(columns["label click"]))


@pytest.mark.parametrize(
    ("key", "metric"),
    [
        ("auc", roc_auc_score),
        ("log_loss", log_loss),
        (
            "normalized_entropy",
            lambda y, p: log_loss(y, p) / entropy([y.mean(dtype=np.float64), 1 - y.mean()]),
        ),
    ],
)
def test_errors_are_those_of_a_plain_bootstrap_of_clusters(labelled, key, metric):
    sums = slice_sums(labelled, ONLY_CLICK, histograms(labelled, ONLY_CLICK))
    errors = standard_errors("binary", sums["click", "all"], *ONLY_CLICK.models)
    assert errors[key] == pytest.approx(resampled(labelled, labelled["user"], metric), rel=0.12)
    # A slice of items: users and items, in the two clusterings' sum.
    tail = lib.select(labelled, labelled["slice tail"])
    errors = standard_errors("binary", sums["click", "tail"], *ONLY_CLICK.models)
    of_users, of_items = (resampled(tail, tail[name], metric) for name in ("user", "item"))
    assert errors[key] == pytest.approx(np.hypot(of_users, of_items), rel=0.12)


def test_within_user_errors_are_those_of_a_plain_bootstrap_of_users(labelled):
    spec = EvaluationSpec({"click": "binary"}, ("candidate", "random_hash"), ("all",))
    sums = slice_sums(labelled, spec, histograms(labelled, spec))
    errors = standard_errors("binary", sums["click", "all"], *spec.models)
    rng = np.random.default_rng(2)
    users = np.unique(labelled["user"])
    rows_of = [np.flatnonzero(labelled["user"] == user) for user in users]
    found = {"gauc": [], "ndcg_at_10": []}
    for _ in range(150):
        drawn = rng.integers(0, len(users), len(users))
        rows = np.concatenate([rows_of[number] for number in drawn])
        again = lib.select(labelled, rows) | {
            # Who is drawn twice is two users.
            "user": np.repeat(np.arange(len(users)), [len(rows_of[n]) for n in drawn]).astype(
                np.uint64
            )
        }
        drawn_sums = slice_sums(again, spec, histograms(again, spec))["click", "all"].by_user
        totals = {name: values.sum() for name, values in drawn_sums.items()}
        for key, count in (("gauc", "gauc_examples"), ("ndcg_at_10", "user_days")):
            one, other = (totals[f"{key} {m}"] / totals[f"{count} {m}"] for m in spec.models)
            found[key].append(one - other)
    for key, samples in found.items():
        assert errors[key] == pytest.approx(np.std(samples, ddof=1), rel=0.2)
