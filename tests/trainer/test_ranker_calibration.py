"""Class weights and sampled negatives: effect on training, none on served probabilities."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.negative_sampling import sample_negatives
from semantic_id_ranking.trainer.ranker.task_objective import TaskObjective
from semantic_id_ranking.trainer.ranker.train import train
from tests.trainer import ranker_cases as cases

CONFIG = dataclasses.replace(
    cases.SMALL,
    cross_layers=0,
    head_widths=(),
    batch_size=4000,
    epochs=1,
    learning_rate=0.03,
    table_learning_rate=0.3,
)
# Rates of the label by the candidate's first code.
RATES = np.array([0.02, 0.05, 0.1, 0.3])
EACH = 1000
# How near a model comes that sees all impressions in every step, and one that sees some.
WHOLE, SAMPLED = 0.03, 0.12


def planted(rates=RATES) -> dict[str, np.ndarray]:
    """1,000 impressions of each first code, of which exactly the planted share is positive."""
    code = np.repeat(np.arange(4), EACH)
    within = np.tile(np.arange(EACH), 4)
    label = (within < np.round(rates[code] * EACH)).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(code))
    return {"code": code[order], "label": label[order]}


def batches(world: dict[str, np.ndarray], tasks=("click",)) -> tf.data.Dataset:
    sids = np.stack([world["code"], np.zeros_like(world["code"])], axis=1)
    inputs = cases.features(sids, np.full((len(sids), 1, 2), -1))
    inputs |= {f"label_{task}": tf.constant(world["label"]) for task in tasks}
    return tf.data.Dataset.from_tensor_slices(inputs).batch(CONFIG.batch_size)


def train_on(data: tf.data.Dataset, *tasks: TaskConfig, steps=60, **options):
    return train(
        data.repeat(steps),
        cases.representation(),
        ContextSpec(),
        tasks,
        CONFIG,
        LabelMoments.measure(data, tasks),
        **options,
    )


def rates_by_code(model, task="click") -> np.ndarray:
    """The probability that the model gives each first code."""
    features = cases.features([[code, 0] for code in range(4)], [[[-1, -1]]] * 4)
    return model(features)[task].numpy()


CASES = {
    "plain": {},
    "positives weigh five times": {"positive_weight": 5.0},
    "balanced": {"positive_weight": "balanced"},
    "a quarter of the negatives": {"train_negative_rate": 0.25},
    "both": {"positive_weight": "balanced", "train_negative_rate": 0.25},
}


@pytest.mark.parametrize("options", CASES.values(), ids=CASES)
def test_predictions_have_the_rate_of_the_impressions(options):
    """Without the correction, balanced would give 0.5 on the mean."""
    rates = rates_by_code(train_on(batches(planted()), TaskConfig(**options)).model)
    tolerance = SAMPLED if "train_negative_rate" in options else WHOLE
    assert rates.mean() == pytest.approx(RATES.mean(), rel=tolerance)
    np.testing.assert_allclose(rates, RATES, rtol=2 * tolerance)


def test_negatives_that_were_sampled_before_are_put_back():
    world = planted()
    kept = (world["label"] == 1) | (np.random.default_rng(3).random(len(world["label"])) < 0.2)
    sampled = {name: values[kept] for name, values in world.items()}
    assert sampled["label"].mean() > 2.5 * RATES.mean()
    for rate in (1.0, 0.5):
        task = TaskConfig(data_negative_rate=0.2, train_negative_rate=rate)
        rates = rates_by_code(train_on(batches(sampled), task).model)
        assert rates.mean() == pytest.approx(RATES.mean(), rel=SAMPLED)


def test_each_of_two_tasks_has_its_own_rate_and_weight():
    tasks = (TaskConfig("click", train_negative_rate=0.1), TaskConfig("like", positive_weight=4.0))
    model = train_on(batches(planted(), ("click", "like")), *tasks).model
    for name in ("click", "like"):
        assert rates_by_code(model, name).mean() == pytest.approx(RATES.mean(), rel=SAMPLED)


def test_evaluation_has_the_log_loss_of_what_is_served():
    data = batches(planted())
    task = TaskConfig(positive_weight="balanced", train_negative_rate=0.5)
    result = train_on(data, task, eval_data=data)
    world = planted()
    p = rates_by_code(result.model)[world["code"]]
    expected = -np.mean(np.where(world["label"] == 1, np.log(p), np.log(1 - p)))
    assert result.evaluation["loss"] == pytest.approx(expected, rel=1e-4)
    assert result.evaluation["examples"] == len(p)


def test_training_takes_the_positives_and_a_share_of_the_negatives():
    world = planted()
    positives = world["label"].sum()
    negatives = len(world["label"]) - positives
    expected = positives + 0.3 * negatives
    taken = train_on(batches(world), TaskConfig(train_negative_rate=0.3), steps=1).examples
    # Five standard deviations of the binomial.
    assert abs(taken - expected) < 5 * (negatives * 0.3 * 0.7) ** 0.5


def objective(task: TaskConfig, positives: float = 0.0) -> TaskObjective:
    return TaskObjective(task, LabelMoments(positives))


LABELS = np.array([1.0, 0.0, 0.0, 1.0], np.float32)
RAW = np.array([0.5, -1.0, 2.0, -0.25], np.float32)


def log_losses(raw: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-raw))
    return -np.where(LABELS == 1, np.log(p), np.log(1 - p))


@pytest.mark.parametrize(
    ("task", "positives", "weight"),
    [
        (TaskConfig(), 0.0, 1.0),
        (TaskConfig(positive_weight=3.0), 0.0, 3.0),
        # Nine negatives a positive.
        (TaskConfig(positive_weight="balanced"), 0.1, 9.0),
        (TaskConfig(positive_weight="balanced", train_negative_rate=0.5), 0.1, 4.5),
        (TaskConfig(positive_weight="balanced"), 1.0, 1.0),
        (TaskConfig(positive_weight="balanced"), 0.0, 1.0),
    ],
)
def test_positives_weigh_in_training_alone(task, positives, weight):
    layer = objective(task, positives)
    expected = np.mean(np.where(LABELS == 1, weight, 1) * log_losses(RAW))
    np.testing.assert_allclose(layer.loss(LABELS, RAW, training=True).mean, expected, rtol=1e-5)
    served = RAW + np.log(task.train_negative_rate / weight)
    expected = np.mean(log_losses(served))
    np.testing.assert_allclose(layer.loss(LABELS, RAW, training=False).mean, expected, rtol=1e-5)
    np.testing.assert_allclose(layer.prediction(RAW), 1 / (1 + np.exp(-served)), rtol=1e-5)


def test_the_correction_is_that_of_the_reference():
    q = 1 / (1 + np.exp(-RAW))
    for task, w in (
        (TaskConfig(train_negative_rate=0.1), 0.1),
        (TaskConfig(data_negative_rate=0.1), 0.1),
        (TaskConfig(train_negative_rate=0.5, data_negative_rate=0.1), 0.05),
    ):
        np.testing.assert_allclose(
            objective(task).prediction(RAW), q / (q + (1 - q) / w), rtol=1e-5
        )


def test_a_mean_is_over_the_impressions_that_count():
    layer = objective(TaskConfig(train_negative_rate=0.5))
    counts = np.array([True, False, True, True])
    loss = layer.loss(LABELS, RAW, True, tf.constant(counts)).mean
    np.testing.assert_allclose(loss, log_losses(RAW)[counts].mean(), rtol=1e-5)
    assert float(layer.loss(LABELS, RAW, True, tf.zeros([4], tf.bool)).mean) == 0


def test_the_default_takes_the_raw_output_as_it_is():
    layer = objective(TaskConfig())
    graph = tf.function(lambda raw: layer.prediction(raw)).get_concrete_function(RAW).graph
    kinds = {op.type for op in graph.get_operations()}
    assert kinds == {"Placeholder", "Sigmoid", "Identity"}


CLICK = TaskConfig("click", train_negative_rate=0.5)
LIKE = TaskConfig("like", train_negative_rate=0.2)


def sampled(*tasks: TaskConfig):
    """Of 6,000 impressions a third has a click, and half of those a like."""
    number = np.arange(6000)
    inputs = {
        "number": tf.constant(number),
        "label_click": tf.constant((number % 3 == 0).astype(np.float32)),
        "label_like": tf.constant((number % 6 == 0).astype(np.float32)),
    }
    tf.random.set_seed(5)
    outputs, counts = sample_negatives(inputs, tasks)
    outputs = {name: values.numpy() for name, values in outputs.items()}
    # The rows stay whole.
    np.testing.assert_array_equal(outputs["label_like"], outputs["number"] % 6 == 0)
    return outputs, {name: values.numpy() for name, values in counts.items()}


def test_without_rates_nothing_is_drawn():
    outputs, counts = sampled(TaskConfig("click"), TaskConfig("like"))
    assert len(outputs["number"]) == 6000
    assert counts == {}


def test_what_counts_for_no_task_is_dropped():
    outputs, counts = sampled(CLICK, LIKE)
    click, like = outputs["label_click"] == 1, outputs["label_like"] == 1
    assert (counts["click"] | counts["like"]).all()
    assert counts["click"][click].all()
    assert counts["like"][like].all()
    assert click.sum() == 2000
    # 4,000 negatives of click, 5,000 of like; five standard deviations.
    assert abs(counts["click"][~click].sum() - 2000) < 5 * 1000**0.5
    assert abs(counts["like"][~like].sum() - 1000) < 5 * 800**0.5
    # One draw: an impression without a click that counts for the rarer counts for both.
    assert not (counts["like"] & ~counts["click"]).any()


def test_a_task_that_takes_everything_keeps_everything():
    outputs, counts = sampled(CLICK, TaskConfig("like"))
    assert len(outputs["number"]) == 6000
    assert set(counts) == {"click"}
    assert not counts["click"].all()


def test_a_step_whose_impressions_all_drop_out_moves_nothing():
    task = TaskConfig("click", train_negative_rate=1e-9)
    model = cases.ranker((task,))
    model.compile(tf.keras.optimizers.SGD(0.5), tf.keras.optimizers.SGD(0.5))
    before = model.get_weights()
    inputs = cases.features([[0, 1], [3, 3]], [[[1, 1]], [[2, 0]]])
    logs = model.train_step({**inputs, "label_click": tf.zeros([2])})
    assert (float(logs["loss"]), int(logs["examples"])) == (0, 0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "option",
    [{"positive_weight": 2.0}, {"train_negative_rate": 0.5}, {"data_negative_rate": 0.5}],
)
def test_a_regression_has_no_negatives(option):
    with pytest.raises(ValueError, match="a regression has neither"):
        TaskConfig("watch", type="regression", **option)


@pytest.mark.parametrize("weight", [0, -1.0, "balancd", float("nan"), None])
def test_a_weight_is_a_positive_number_or_balanced(weight):
    with pytest.raises(ValueError, match="a number above 0, or balanced"):
        TaskConfig(positive_weight=weight)
