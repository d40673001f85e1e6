"""TFMA on examples of which some have no label of a task, against NumPy and scikit-learn."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.pipeline import summary
from semantic_id_ranking.pipeline.evaluation import BASELINE
from semantic_id_ranking.pipeline.evaluation import CANDIDATE
from semantic_id_ranking.pipeline.evaluation import eval_config
from semantic_id_ranking.pipeline.load_config import load_config

ROWS = 400
TASKS = {
    "one": "tasks=[{name: click}]",
    "two": "tasks=[{name: click}, {name: watch, label: seconds, type: regression}]",
}
POPULARITY = [b"head", b"torso", b"tail"]


def make_world():
    """Labels, predictions and whether a label is there; of watch, no new item has one."""
    rng = np.random.default_rng(0)
    new = np.arange(ROWS) % 4 == 0
    clicks = (rng.random(ROWS) < 0.4).astype(np.float32)
    return {
        "new": new,
        "label_click": clicks,
        "score_click": (0.6 * rng.random(ROWS) + 0.3 * clicks).astype(np.float32),
        "weight_click": (rng.random(ROWS) < 0.7).astype(np.float32),
        "label_watch": rng.normal(50, 10, ROWS).astype(np.float32),
        "score_watch": rng.normal(50, 10, ROWS).astype(np.float32),
        "weight_watch": (~new).astype(np.float32),
    }


def write_examples(world, path):
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for row in range(ROWS):
            example = tf.train.Example()
            features = example.features.feature
            for name, values in world.items():
                if name != "new":
                    features[name].float_list.value.append(values[row])
            for task in ("click", "watch"):
                if not world[f"weight_{task}"][row]:
                    features[f"label_{task}"].float_list.value[0] = 0.0
            age = b"new" if world["new"][row] else b"old"
            features["slice_age"].bytes_list.value.append(age)
            features["slice_seen"].bytes_list.value.append(b"seen")
            features["slice_popularity"].bytes_list.value.append(POPULARITY[row % 3])
            writer.write(example.SerializeToString())


class Model(tf.Module):
    """Gives the scores that the examples hold."""

    def __init__(self, tasks):
        super().__init__()
        self.tasks = tasks

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve(self, examples):
        spec = {f"score_{t}": tf.io.FixedLenFeature([], tf.float32) for t in self.tasks}
        parsed = tf.io.parse_example(examples, spec)
        return {task: parsed[f"score_{task}"] for task in self.tasks}


@pytest.mark.parametrize("tasks", TASKS)
def test_what_has_no_label_counts_in_no_metric(tasks, tmp_path):
    world = make_world()
    write_examples(world, str(tmp_path / "examples.gz"))
    overrides = [TASKS[tasks]]
    if tasks == "two":
        bars = "{task: watch, slice: new, value: 100}, {task: watch, value: 100}"
        overrides.append(f"thresholds=[{bars}]")
    config = load_config(overrides=overrides)
    model = Model([task.name for task in config.tasks])
    saved = str(tmp_path / "model")
    tf.saved_model.save(model, saved, {"serving_default": model.serve})
    settings = eval_config(config)
    models = [
        tfma.default_eval_shared_model(saved, eval_config=settings, model_name=name)
        for name in (CANDIDATE, BASELINE)
    ]
    output = str(tmp_path / "output")
    tfma.run_model_analysis(models, settings, str(tmp_path / "examples.gz"), output_path=output)
    metrics = summary._metrics(output, CANDIDATE, config)
    for name, rows in {
        "all": np.ones(ROWS, bool),
        "new": world["new"],
        "tail": np.arange(ROWS) % 3 == 2,
    }.items():
        known = rows & (world["weight_click"] == 1)
        labels, scores = world["label_click"][known], world["score_click"][known]
        assert metrics["click"][name].examples == known.sum()
        expected = roc_auc_score(labels, scores)
        assert metrics["click"][name].auc == pytest.approx(expected, abs=1e-3)
        if tasks == "two" and name != "new":
            known = rows & (world["weight_watch"] == 1)
            errors = (world["label_watch"] - world["score_watch"])[known]
            assert metrics["watch"][name].examples == known.sum()
            expected = np.sqrt(np.square(errors).mean())
            assert metrics["watch"][name].rmse == pytest.approx(expected, rel=1e-5)
    result = dict(tfma.load_eval_result(output, model_name=CANDIDATE).slicing_metrics)
    of_click = result[()]["click" if tasks == "two" else ""][""]
    known = world["weight_click"] == 1
    assert of_click["mean_label"]["doubleValue"] == pytest.approx(
        world["label_click"][known].mean()
    )
    validation = tfma.load_validation_result(output)
    if tasks == "one":
        assert validation.validation_ok
        return
    assert metrics["watch"]["new"].to_json() == {
        "rmse": None,
        "examples": 0,
        "why_not": "no examples",
    }
    # An RMSE of nothing is 0, which is not below the bar: the slice without labels fails.
    failed = {
        (slices.slice_key.single_slice_keys[0].bytes_value, failure.metric_key.name)
        for slices in validation.metric_validations_per_slice
        for failure in slices.failures
    }
    assert failed == {(b"new", "example_count")}
