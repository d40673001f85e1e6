import datetime

import numpy as np
import pytest

from semantic_id_ranking.evaluation.day_rows import day_rows
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.headline import headline
from semantic_id_ranking.evaluation.predictions import concatenate
from semantic_id_ranking.evaluation.predictions import select
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.evaluation.slice_sums import histograms
from semantic_id_ranking.evaluation.slice_sums import merge_histograms
from semantic_id_ranking.evaluation.slice_sums import slice_sums
from semantic_id_ranking.evaluation.strongest import strongest
from tests.evaluation.worlds import SPEC
from tests.evaluation.worlds import world


def report_of(columns, spec=SPEC):
    found = histograms(columns, spec)
    return make_report(spec, found, slice_sums(columns, spec, found))


@pytest.fixture(scope="module")
def columns():
    return world()


@pytest.fixture(scope="module")
def report(columns):
    return report_of(columns)


def equal(one, other):
    """Whether two reports are equal, but for the last digits of numbers."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key, value in one.items():
            equal(value, other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            equal(*pair)
    elif isinstance(one, float):
        assert other == pytest.approx(one, rel=1e-9, abs=1e-12)
    else:
        assert one == other


def test_parts_by_user_add_up_to_the_whole(columns, report):
    groups = columns["user"] % np.uint64(3)
    blocks = [concatenate([select(columns, groups == number)]) for number in range(3)]
    found = merge_histograms([histograms(block, SPEC) for block in blocks[::-1]])
    total, *others = (slice_sums(block, SPEC, found) for block in blocks)
    for sums in others:
        for key, part in sums.items():
            total[key].add(part)
    equal(report, make_report(SPEC, found, total))


def test_a_part_without_the_slice_adds_nothing(columns, report):
    # The user of the first part has no impression of the slice, nor a label.
    alone = columns["user"] == columns["user"][np.argmax(columns["has_user"])]
    given = columns | {
        "slice new": columns["slice new"] & ~alone,
        "label watch": np.where(alone, np.nan, columns["label watch"]),
    }
    found = histograms(given, SPEC)
    first, second = (slice_sums(select(given, rows), SPEC, found) for rows in (alone, ~alone))
    for key, part in second.items():
        first[key].add(part)
    equal(report_of(given), make_report(SPEC, found, first))


def test_a_models_metrics_do_not_depend_on_the_others(columns, report):
    alone = report_of(columns, EvaluationSpec(SPEC.tasks, ("random_hash",)))
    for task, of_task in alone["tasks"].items():
        for name, of_slice in of_task["slices"].items():
            both = report["tasks"][task]["slices"][name]
            equal(of_slice["models"]["random_hash"], both["models"]["random_hash"])
            assert of_slice["differences"] == {}
    assert list(day_rows(alone, 0)) == [
        r for r in day_rows(report, 0) if r["model"] == "random_hash"
    ]


def test_impressions_without_a_label_change_nothing(columns, report):
    masked = np.isnan(columns["label click"])
    assert masked.sum() > 100
    spec = EvaluationSpec({"click": "binary"}, SPEC.models)
    found = report_of(select(columns, ~masked), spec)
    equal(report["tasks"]["click"], found["tasks"]["click"])


def test_impressions_without_a_user_are_in_no_metric_within_users(columns):
    some = columns["has_user"]
    assert (~some).sum() > 0
    spec = EvaluationSpec({"click": "binary"}, SPEC.models)
    of_all, of_users = (report_of(c, spec) for c in (columns, select(columns, some)))
    of_all, of_users = (r["tasks"]["click"]["slices"]["all"] for r in (of_all, of_users))
    assert of_all["users"] == of_users["users"]
    for model in SPEC.models:
        one, other = of_all["models"][model], of_users["models"][model]
        for metric in ("gauc", "ndcg_at_5", "ndcg_at_10"):
            assert one[metric] == pytest.approx(other[metric], rel=1e-12)
        assert one["auc"] != other["auc"]


def test_a_slice_of_few_or_of_other_odds_carries_no_claim():
    columns = world(4000, without_user=0.0)
    labels = columns["label click"]
    rows = np.arange(len(labels))
    # Of `new` one in ten is positive, of `unseen` ten are; tail stays as it is.
    columns["slice new"] = (labels == 1) & (rows % 20 == 0) | (labels == 0) & (rows % 4 == 0)
    columns["slice unseen"] = (labels == 0) | (labels == 1) & (np.cumsum(labels == 1) <= 10)
    slices = report_of(columns)["tasks"]["click"]["slices"]
    assert slices["unseen"]["caution"] == "10 positives, fewer than 50"
    assert slices["new"]["caution"].startswith("odds of a positive 0.2")
    assert slices["new"]["caution"].endswith(" times those of all impressions")
    assert slices["all"]["caution"] is None
    for name in ("unseen", "new"):
        difference = slices[name]["differences"]["random_hash"]["log_loss"]
        assert difference["gain"] is None
        assert difference["low"] < difference["estimate"] < difference["high"]
    assert slices["all"]["differences"]["random_hash"]["log_loss"]["gain"] == "better"


def test_normalized_entropy_and_means_by_hand(columns, report):
    labelled = ~np.isnan(columns["label click"])
    labels = columns["label click"][labelled].astype(np.float64)
    scores = columns["score candidate click"][labelled].astype(np.float64)
    found = report["tasks"]["click"]["slices"]["all"]["models"]["candidate"]
    chance = np.where(labels == 1, scores, 1 - scores)
    mean = labels.mean()
    entropy = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
    assert found["log_loss"] == pytest.approx(-np.log(chance).mean())
    assert found["normalized_entropy"] == pytest.approx(-np.log(chance).mean() / entropy)
    assert found["prediction_over_label"] == pytest.approx(scores.sum() / labels.sum())
    assert list(found["days"]) == ["1970-01-01", "1970-01-02", "1970-01-03"]


def test_limits_name_the_seed_and_exposure(report):
    assert "seed" in report["limits"][0]
    assert "exposure bias" in report["limits"][1]


def test_rows_of_a_day(report):
    day = datetime.date(2024, 3, 1)
    rows = list(day_rows(report, day))
    assert len(rows) == 2 * 6 * 2
    assert len({frozenset(row) for row in rows}) == 1
    (row,) = (
        row
        for row in rows
        if (row["task"], row["slice"], row["model"]) == ("click", "head", "random_hash")
    )
    of_slice = report["tasks"]["click"]["slices"]["head"]
    assert row["day"] == day
    assert row["items"] == of_slice["items"]
    assert row["auc"] == of_slice["models"]["random_hash"]["auc"]
    assert row["rmse"] is None


def test_the_headline():
    difference = {"estimate": 0.0312, "low": 0.0271, "high": 0.0354}
    of_slice = {
        "examples": 12345,
        "users": 678,
        "models": {"item_rate": {"auc": 0.625}, "random_hash": {"auc": 0.75}},
        "differences": {"item_rate": {}, "random_hash": {"auc": difference}},
    }
    report = {
        "candidate": "candidate",
        "baselines": ["item_rate", "random_hash"],
        "tasks": {"click": {"type": "binary", "slices": {"all": of_slice}}},
    }
    assert headline(report, "sid_hybrid") == (
        "sid_hybrid over random_hash, the stronger of item_rate and random_hash, AUC of click: "
        "+.031 [.027, .035] on 12,345 impressions of 678 users"
    )
    of_slice |= {"users": 0, "models": {"random_hash": {"auc": None}}}
    of_slice["differences"]["random_hash"]["auc"] = dict.fromkeys(difference)
    assert headline({**report, "baselines": ["random_hash"]}, "sid_spm") == (
        "sid_spm over random_hash, AUC of click: not known on 12,345 impressions"
    )


@pytest.mark.parametrize(
    ("metric", "expected"),
    [(None, "dense"), ("auc", "dense"), ("log_loss", "item_rate"), ("gauc", "item_rate")],
)
def test_the_strongest_has_the_best_metric_and_the_first_of_those_that_tie(metric, expected):
    models = {
        "item_rate": {"auc": 0.5, "log_loss": 0.25, "gauc": None},
        "random_hash": {"auc": None, "log_loss": 0.5, "gauc": None},
        "dense": {"auc": 0.75, "log_loss": 0.25, "gauc": None},
    }
    assert strongest({"models": models}, "binary", list(models), metric) == expected
