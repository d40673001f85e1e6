import json

import pytest

from semantic_id_ranking.pipeline.evaluation import eval_config
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.summary import _entry


@pytest.fixture(scope="module")
def built():
    overrides = [
        "tasks=[{name: click}, {name: watch, label: seconds, type: regression}]",
        "thresholds=[{task: click, slice: new, value: 0.6, change: 0.01},"
        " {task: watch, value: 9, change: 0.5}]",
    ]
    return eval_config(load_config(overrides=overrides))


def test_the_baseline_is_the_baseline(built):
    assert {(model.name, model.is_baseline) for model in built.model_specs} == {
        ("candidate", False),
        ("baseline", True),
    }


def test_all_slices_are_asked_for(built):
    assert [dict(spec.feature_values) for spec in built.slicing_specs] == [
        {},
        {"slice_age": "new"},
        {"slice_seen": "unseen"},
        {"slice_popularity": "head"},
        {"slice_popularity": "torso"},
        {"slice_popularity": "tail"},
    ]


def test_thresholds_know_which_direction_is_better(built):
    click, watch = (spec.metrics[0] for spec in built.metrics_specs)
    (auc,), (rmse,) = click.per_slice_thresholds, watch.per_slice_thresholds
    assert dict(auc.slicing_specs[0].feature_values) == {"slice_age": "new"}
    assert auc.threshold.value_threshold.lower_bound.value == pytest.approx(0.6)
    assert auc.threshold.change_threshold.absolute.value == pytest.approx(0.01)
    # RMSE has to stay below the bound and to fall: candidate minus baseline is below -0.5.
    assert rmse.threshold.value_threshold.upper_bound.value == pytest.approx(9)
    assert rmse.threshold.change_threshold.absolute.value == pytest.approx(-0.5)
    assert rmse.threshold.change_threshold.direction != auc.threshold.change_threshold.direction
    assert json.loads(click.config)["num_thresholds"] == 10_000


@pytest.mark.parametrize(
    ("value", "examples", "mean_label", "entry"),
    [
        (0.7, 10, 0.4, {"auc": 0.7, "examples": 10}),
        (0.5, 10, 1.0, {"auc": None, "examples": 10, "why_not": "every label is 1"}),
        (0.5, 10, 0.0, {"auc": None, "examples": 10, "why_not": "every label is 0"}),
        (None, 0, None, {"auc": None, "examples": 0, "why_not": "no examples"}),
        (float("nan"), 3, 0.5, {"auc": None, "examples": 3, "why_not": "not computed"}),
    ],
)
def test_a_slice_without_both_classes_gets_a_reason_and_no_number(
    value, examples, mean_label, entry
):
    assert _entry("auc", value, examples, mean_label).to_json() == entry
