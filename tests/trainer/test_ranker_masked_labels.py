"""Impressions without a label of a task, which count for all other tasks."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.features import label_parsing_spec
from semantic_id_ranking.trainer.ranker.features import read_labels
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.negative_sampling import sample_negatives
from semantic_id_ranking.trainer.ranker.task_objective import TaskObjective
from tests.trainer import ranker_cases as cases

TASKS = (cases.CLICK, cases.WATCH)
MOMENTS = {"watch": LabelMoments(100.0, 50.0)}
NAN = float("nan")


def batch(rows: int, seed: int = 0) -> dict[str, tf.Tensor]:
    rng = np.random.default_rng(seed)
    inputs = cases.features(
        rng.integers(0, cases.CODES, (rows, 2)), rng.integers(0, cases.CODES, (rows, 3, 2))
    )
    return inputs | {
        "label_click": tf.constant(rng.integers(0, 2, rows), tf.float32),
        "label_watch": tf.constant(rng.normal(100, 50, rows), tf.float32),
    }


def masked(inputs, name, rows):
    labels = inputs[f"label_{name}"].numpy()
    labels[rows] = NAN
    return inputs | {f"label_{name}": tf.constant(labels)}


def kept(inputs, rows):
    return {name: tf.gather(values, rows) for name, values in inputs.items()}


def gradients(model, inputs):
    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, training=True)
    found = tape.gradient(loss, model.trainable_variables)
    return float(loss), [
        np.zeros(v.shape) if g is None else tf.convert_to_tensor(g).numpy()
        for g, v in zip(found, model.trainable_variables, strict=True)
    ]


def test_loss_and_gradient_of_a_head_by_hand():
    head = TaskObjective(TaskConfig(), LabelMoments())
    raw = tf.Variable([0.0, 2.0, -1.0, 5.0])
    labels = tf.constant([1.0, NAN, 0.0, NAN])
    with tf.GradientTape() as tape:
        loss = head.loss(labels, raw, training=True).mean
    # -log sigmoid(0) and -log(1 - sigmoid(-1)), each half.
    assert float(loss) == pytest.approx((np.log(2) + np.log1p(np.exp(-1))) / 2)
    # (p - y) / 2 of the two that count.
    expected = [(0.5 - 1) / 2, 0, 1 / (1 + np.e) / 2, 0]
    np.testing.assert_allclose(tape.gradient(loss, raw), expected, rtol=1e-5)


def test_a_task_is_trained_as_on_its_labelled_impressions_alone():
    inputs = batch(12)
    some = np.array([0, 3, 4, 9])
    others = np.setdiff1d(np.arange(12), some)
    for name in ("click", "watch"):
        (task,) = (task for task in TASKS if task.name == name)
        model = cases.ranker((task,), moments=MOMENTS)
        loss, found = gradients(model, masked(inputs, name, some))
        expected_loss, expected = gradients(model, kept(inputs, others))
        assert loss == pytest.approx(expected_loss, rel=1e-5)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_each_of_two_tasks_counts_its_own_impressions():
    inputs = batch(12)
    model = cases.ranker(TASKS, moments=MOMENTS)
    scores = model(inputs)
    p, seconds = scores["click"].numpy(), scores["watch"].numpy()
    clicks, watched = inputs["label_click"].numpy(), inputs["label_watch"].numpy()
    both = masked(masked(inputs, "click", [0, 1]), "watch", [1, 5, 6])
    log_loss = -np.where(clicks == 1, np.log(p), np.log(1 - p))[2:].mean()
    squares = np.delete(((seconds - watched) / 50) ** 2, [1, 5, 6]).mean()
    expected = log_loss + 0.5 * squares
    for training in (True, False):
        loss = float(model.compute_loss(both, training))
        assert loss == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_any_label_has_loss_zero_and_moves_nothing():
    inputs = masked(masked(batch(5), "click", slice(None)), "watch", slice(None))
    model = cases.ranker(TASKS, moments=MOMENTS)
    loss, found = gradients(model, inputs)
    assert loss == 0
    assert all((one == 0).all() for one in found)


def test_metrics_are_those_of_the_labelled_impressions_of_all_batches():
    """Batches of 7 with unequal numbers of labels; one of them has none."""
    inputs = masked(batch(21), "click", [*range(7), 9, 20])
    inputs = masked(inputs, "watch", [1, 2, 15])
    model = cases.ranker(TASKS, moments=MOMENTS)
    model.compile("sgd", "sgd")
    data = tf.data.Dataset.from_tensor_slices(inputs).batch(7)
    logs = model.evaluate(data, verbose=0, return_dict=True)
    scores = model(inputs)
    labels = inputs["label_click"].numpy()
    known = ~np.isnan(labels)
    p, y = scores["click"].numpy()[known], labels[known]
    log_loss = -np.where(y == 1, np.log(p), np.log(1 - p)).mean()
    watch = inputs["label_watch"].numpy()
    squares = np.nanmean(((scores["watch"].numpy() - watch) / 50) ** 2)
    assert logs["loss"] == pytest.approx(log_loss + 0.5 * squares, rel=1e-5)
    assert logs["watch_rmse_in_std"] == pytest.approx(np.sqrt(squares), rel=1e-5)
    assert logs["examples"] == 21


def test_auc_is_that_of_the_labelled_impressions():
    rng = np.random.default_rng(0)
    labels = (rng.random(400) < 0.3).astype(np.float32)
    # Where there is no label, the score would be a very good one.
    unknown = rng.random(400) < 0.5
    raw = np.where(unknown, 20 * labels - 10, rng.normal(size=400) + labels).astype(np.float32)
    head = TaskObjective(TaskConfig(), LabelMoments())
    head.loss(tf.constant(np.where(unknown, NAN, labels)), tf.constant(raw), training=False)
    expected = roc_auc_score(labels[~unknown], raw[~unknown])
    (metric,) = [m for m in head.submodules if isinstance(m, tf.keras.metrics.AUC)]
    # Keras's AUC is a sum over 200 thresholds.
    assert float(metric.result()) == pytest.approx(expected, abs=0.005)
    assert roc_auc_score(labels, raw) > expected + 0.05


def test_moments_are_those_of_the_labels_that_are_there():
    labels = np.array([3.0, NAN, 5.0, 10.0, NAN], np.float32)
    data = tf.data.Dataset.from_tensor_slices({"label_watch": labels}).batch(2)
    moments = LabelMoments.measure(data, (cases.WATCH,))["watch"]
    assert moments.mean == pytest.approx(6)
    assert moments.std == pytest.approx(np.std([3, 5, 10]))
    data = tf.data.Dataset.from_tensor_slices({"label_watch": labels[1:2]}).batch(2)
    with pytest.raises(ValueError, match="no training impression has a label of task watch"):
        LabelMoments.measure(data, (cases.WATCH,))


def test_a_balanced_task_weighs_the_labels_that_are_there():
    task = dataclasses.replace(cases.CLICK, positive_weight="balanced")
    labels = np.array([1, 0, 0, 0, NAN, NAN, NAN], np.float32)
    data = tf.data.Dataset.from_tensor_slices({"label_click": labels}).batch(3)
    assert LabelMoments.measure(data, (task,))["click"].mean == pytest.approx(0.25)


def test_sampling_never_takes_an_impression_without_a_label():
    task = dataclasses.replace(cases.CLICK, train_negative_rate=0.9)
    labels = tf.constant([NAN] * 500 + [1.0] * 20 + [0.0] * 500)
    outputs, counts = sample_negatives({"label_click": labels}, (task,))
    assert not np.isnan(outputs["label_click"]).any()
    assert counts["click"].numpy().all()
    assert int(tf.reduce_sum(tf.cast(outputs["label_click"] == 1, tf.int32))) == 20


def test_labels_are_read_with_their_weights():
    spec = label_parsing_spec(TASKS)
    examples = [
        cases.joined_example(label_click=[0.0], weight_click=[0.0]),
        cases.joined_example(label_click=[1.0], weight_click=[1.0], weight_watch=[0.0]),
        # As the joiner wrote them before it knew of weights.
        cases.joined_example(without=("weight_click", "weight_watch"), label_click=[0.0]),
    ]
    labels = read_labels(tf.io.parse_example(examples, spec), TASKS)
    np.testing.assert_array_equal(labels["label_click"], [NAN, 1, 0])
    np.testing.assert_array_equal(labels["label_watch"], [30, NAN, 30])
