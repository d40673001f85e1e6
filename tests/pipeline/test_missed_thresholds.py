"""Sentences on missed thresholds."""

import pytest

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import ThresholdConfig
from semantic_id_ranking.pipeline.missed_thresholds import missed_thresholds
from semantic_id_ranking.pipeline.run_summary import SliceMetric
from semantic_id_ranking.trainer.ranker.config import TaskConfig

TASKS = (TaskConfig(), TaskConfig(name="watch", label="watch", type="regression"))
RANKER = {
    "click": {
        "all": {"auc": 0.625, "examples": 8},
        "new": {"auc": None, "examples": 2, "why_not": "every label is 0"},
        "tail": {"auc": 0.75, "examples": 4},
    },
    "watch": {"all": {"rmse": 2.5, "examples": 8}},
}
BASELINE = {
    "click": {
        "all": {"auc": 0.5, "examples": 8},
        "new": {"auc": None, "examples": 2, "why_not": "every label is 0"},
        "tail": {"auc": None, "examples": 4, "why_not": "not computed"},
    },
    "watch": {"all": {"rmse": 2.0, "examples": 8}},
}


def metrics(tasks):
    return {
        task: {name: SliceMetric(**fields) for name, fields in slices.items()}
        for task, slices in tasks.items()
    }


def missed(*thresholds):
    config = Config(tasks=TASKS, thresholds=tuple(thresholds))
    return missed_thresholds(metrics(RANKER), metrics(BASELINE), config)


@pytest.mark.parametrize(
    "threshold",
    [
        ThresholdConfig(task="click", value=0.625, change=0.125),
        ThresholdConfig(task="click", value=0.5, change=-0.01),
        ThresholdConfig(task="watch", value=2.5, change=-0.5),
        ThresholdConfig(task="click"),
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
                "task click, slice all: AUC 0.625, a gain of +0.125 over the baseline, is below "
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
                "task watch, slice all: RMSE 2.5, a gain of -0.5 over the baseline, is below the "
                "threshold of a gain of -0.25"
            ],
        ),
        (
            ThresholdConfig(task="click", slice="new", value=0.5),
            ["task click, slice new: no AUC (every label is 0), and the threshold is 0.5"],
        ),
        (
            ThresholdConfig(task="click", slice="tail", change=0.0),
            [
                "task click, slice tail: no AUC of the baseline (not computed) to compare with the "
                "threshold of a gain of +0.0"
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
