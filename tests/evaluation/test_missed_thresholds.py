"""Thresholds that a ranker misses, in words."""

import pytest

from semantic_id_ranking.evaluation.missed_thresholds import missed_thresholds
from semantic_id_ranking.evaluation.threshold_config import ThresholdConfig

ONE_CLASS = {"auc": None, "why_not": "every label is 0"}


def of_slice(ranker, hashed, **differences):
    """Metrics of a slice; a difference is its estimate, lower and upper end."""
    named = {
        metric: dict(zip(("estimate", "low", "high"), ends, strict=True))
        for metric, ends in differences.items()
    }
    models = {"candidate": ranker, "random_hash": hashed}
    return {"models": models, "differences": {"random_hash": named}}


REPORT = {
    "candidate": "candidate",
    "baselines": ["random_hash"],
    "tasks": {
        "click": {
            "type": "binary",
            "slices": {
                "all": of_slice(
                    {"auc": 0.625, "log_loss": 0.5, "gauc": None},
                    {"auc": 0.5, "log_loss": 0.75, "gauc": None},
                    auc=(0.125, 0.0625, 0.1875),
                    log_loss=(-0.25, -0.375, -0.125),
                ),
                "new": of_slice(ONE_CLASS, ONE_CLASS),
                "tail": of_slice({"auc": 0.75}, {"auc": None, "why_not": "no examples"}),
                "head": of_slice({"auc": 0.75}, {"auc": 0.5}, auc=(0.25, None, None)),
            },
        },
        "watch": {
            "type": "regression",
            "slices": {"all": of_slice({"rmse": 2.5}, {"rmse": 2.0}, rmse=(0.5, 0.25, 0.75))},
        },
    },
}


def missed(*thresholds):
    return missed_thresholds(REPORT, thresholds)


@pytest.mark.parametrize(
    "threshold",
    [
        ThresholdConfig(task="click", value=0.625, change=0.125),
        ThresholdConfig(task="click", value=0.5, change=-0.01),
        ThresholdConfig(task="watch", value=2.5, change=-0.5),
        ThresholdConfig(task="click"),
        ThresholdConfig(task="click", change=0.0625, at="lower"),
        ThresholdConfig(task="click", metric="log_loss", value=0.5, change=0.25),
        ThresholdConfig(task="click", metric="log_loss", change=0.125, at="lower"),
        ThresholdConfig(task="watch", change=-0.75, at="lower"),
    ],
)
def test_a_threshold_that_is_just_reached_is_not_missed(threshold):
    assert missed(threshold) == []


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        (
            ThresholdConfig(task="click", value=0.7),
            ["task click, slice all: AUC 0.625 is below the threshold 0.7"],
        ),
        (
            ThresholdConfig(task="click", change=0.2),
            [
                "task click, slice all: AUC 0.625, a gain of +0.125 over random_hash, is below "
                "the threshold of a gain of +0.2"
            ],
        ),
        (
            ThresholdConfig(task="watch", value=2.0),
            ["task watch, slice all: RMSE 2.5 is above the threshold 2.0"],
        ),
        (
            ThresholdConfig(task="watch", change=-0.25),
            [
                "task watch, slice all: RMSE 2.5, a gain of -0.5 over random_hash, is below the "
                "threshold of a gain of -0.25"
            ],
        ),
        (
            ThresholdConfig(task="click", slice="new", value=0.5),
            ["task click, slice new: no AUC (every label is 0), and the threshold is 0.5"],
        ),
        (
            ThresholdConfig(task="click", slice="new"),
            ["task click, slice new: no AUC (every label is 0)"],
        ),
        (
            ThresholdConfig(task="click", slice="tail", change=0.0),
            [
                "task click, slice tail: no AUC of random_hash (no examples) to compare with the "
                "threshold of a gain of +0.0"
            ],
        ),
        (
            ThresholdConfig(task="click", change=0.1, at="lower"),
            [
                "task click, slice all: AUC 0.625, a gain of +0.125 over random_hash whose 95 % "
                "interval begins at +0.0625, is below the threshold of a gain of +0.1"
            ],
        ),
        (
            ThresholdConfig(task="click", metric="log_loss", value=0.4, change=0.2, at="lower"),
            [
                "task click, slice all: log-loss 0.5 is above the threshold 0.4",
                "task click, slice all: log-loss 0.5, a gain of +0.25 over random_hash whose 95 % "
                "interval begins at +0.125, is below the threshold of a gain of +0.2",
            ],
        ),
        (
            ThresholdConfig(task="click", metric="gauc", value=0.5),
            [
                "task click, slice all: no GAUC (no user has impressions to compare), and the "
                "threshold is 0.5"
            ],
        ),
        (
            ThresholdConfig(task="click", slice="head", change=0.1, at="lower"),
            [
                "task click, slice head: AUC 0.75, a gain of +0.25 over random_hash of no known "
                "interval, to compare with the threshold of a gain of +0.1"
            ],
        ),
        (
            ThresholdConfig(task="click", change=-1.0, peer="served"),
            [
                "task click, slice all: the served ranker was not evaluated, and there is the "
                "threshold of a gain of -1.0"
            ],
        ),
    ],
)
def test_task_slice_value_and_threshold_are_named(threshold, said):
    assert missed(threshold) == said


def test_all_that_are_missed_are_named():
    both = ThresholdConfig(task="click", value=0.9, change=0.9)
    assert len(missed(both, ThresholdConfig(task="watch", value=1.0))) == 3


def test_without_a_threshold_that_is_the_reason():
    assert missed() == ["no threshold is configured, and nothing is blessed without one"]


def test_a_change_is_over_the_named_peer_or_else_the_strongest_baseline():
    def difference(estimate):
        return {"auc": {"estimate": estimate, "low": None, "high": None}}

    values = {"candidate": 0.625, "item_rate": 0.75, "random_hash": 0.5, "served": 0.875}
    click = {
        "models": {model: {"auc": auc} for model, auc in values.items()},
        "differences": {m: difference(0.625 - auc) for m, auc in values.items()},
    }
    report = {
        "candidate": "candidate",
        "baselines": ["random_hash", "item_rate"],
        "tasks": {"click": {"type": "binary", "slices": {"all": click}}},
    }
    said = "task click, slice all: AUC 0.625, a gain of -0.125 over item_rate, is below the "
    for peer, expected in (
        ("random_hash", []),
        ("item_rate", [f"{said}threshold of a gain of +0.1"]),
        (None, [f"{said}threshold of a gain of +0.1"]),
    ):
        threshold = ThresholdConfig(task="click", change=0.1, peer=peer)
        assert missed_thresholds(report, [threshold]) == expected
