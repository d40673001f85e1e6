import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.history_pooling import MeanHistory
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.representations.ngram_subwords import NgramSubwords
from semantic_id_ranking.trainer.ranker.representations.subword_sum import SubwordSum
from tests import ROOT
from tests.trainer import ranker_cases as cases

NONE = [-1, -1]


def filled(model):
    """Fills the item table: row r is (r + 1, 10 (r + 1), 0)."""
    rows = np.arange(1, 9, dtype=np.float32)
    model.representation.tables[0].assign(np.stack([rows, 10 * rows, 0 * rows], axis=1))
    return model


def test_history_is_the_mean_of_the_items_that_there_are():
    features = cases.features(
        sids=[[0, 0], [3, 3]],
        history=[[[0, 0], [1, 2], NONE], [NONE, NONE, NONE]],
        current=[[3, 0], NONE],
    )
    inputs = filled(cases.ranker()).network_inputs(features)
    history = MeanHistory()(inputs).vector
    # Row numbers: (0, 0) -> 0 and 4, (3, 3) -> 3 and 7, (1, 2) -> 1 and 6, (3, 0) -> 3 and 4.
    np.testing.assert_allclose(inputs.candidate, [[6, 60, 0], [12, 120, 0]])
    np.testing.assert_allclose(inputs.current, [[9, 90, 0], [0, 0, 0]])
    # ((1 + 5) + (2 + 7)) / 2 = 7.5; the padding does not count.
    np.testing.assert_allclose(history, [[7.5, 75, 0], [0, 0, 0]])


def test_an_absent_entry_between_others_does_not_count_either():
    features = cases.features([[0, 0]], history=[[[0, 0], NONE, [1, 2]]])
    inputs = filled(cases.ranker()).network_inputs(features)
    history = MeanHistory()(inputs).vector
    np.testing.assert_allclose(history, [[7.5, 75, 0]])


def test_padding_changes_no_prediction():
    model = cases.ranker()
    short = model(cases.features([[0, 1]], [[[1, 1]]]))["click"]
    padded = model(cases.features([[0, 1]], [[[1, 1], NONE, NONE]]))["click"]
    np.testing.assert_allclose(padded, short, rtol=1e-6)


@pytest.mark.parametrize("batch", [0, 1, 5])
def test_predictions_keep_the_batch_axis(batch):
    features = {
        "candidate_sid": tf.zeros([batch, 2], tf.int64),
        "current_sid": tf.zeros([batch, 2], tf.int64),
        "history_sid": tf.zeros([batch, 0, 2], tf.int64),
        "history_length": tf.zeros([batch]),
    }
    predictions = cases.ranker((cases.CLICK, cases.WATCH))(features)
    assert {name: value.shape.as_list() for name, value in predictions.items()} == {
        "click": [batch],
        "watch": [batch],
    }


@pytest.mark.parametrize("changed", ["candidate_sid", "current_sid", "history_sid"])
def test_every_item_matters(changed):
    features = cases.features([[0, 1]], [[[1, 1]]], [[2, 2]])
    model = cases.ranker()
    before = model(features)["click"].numpy()
    other = tf.ones_like(features[changed]) * 3
    assert model({**features, changed: other})["click"].numpy() != before


def test_context_matters():
    context = ContextSpec({"context_tab": 3}, ("context_hour", "history_length"))
    model = cases.ranker(context=context)
    rng = np.random.default_rng(0)
    # As drawn, all units of a layer this small may be dead.
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    features = {
        **cases.features([[0, 1]], [[[1, 1]]]),
        "context_tab": tf.constant([0], tf.int64),
        "context_hour": tf.constant([0.5]),
    }
    before = model(features)["click"].numpy()
    for name, value in (
        ("context_tab", tf.constant([2], tf.int64)),
        ("context_hour", tf.constant([-0.5])),
        ("history_length", tf.constant([2.0])),
    ):
        assert model({**features, name: value})["click"].numpy() != before, name


class CountingUnigram(SubwordSum):
    """Notes how many items it is asked for."""

    def call(self, features, training=False):
        self.asked.append(features["sid"].shape.as_list())
        return super().call(features, training)


@pytest.mark.parametrize("pooling", ["mean", "attention"])
@pytest.mark.parametrize("candidates", [1, 5, 40])
def test_one_users_part_is_computed_once(candidates, pooling):
    layer = CountingUnigram([NgramSubwords(1, [4, 4], cases.SPACE)], cases.DIM, cases.SPACE)
    layer.asked = []
    context = ContextSpec({"context_tab": 3}, ("context_hour", "history_length"))
    config = dataclasses.replace(cases.SMALL, history_pooling=pooling)
    model = cases.ranker(layer=layer, context=context, config=config)
    layer.asked.clear()
    rng = np.random.default_rng(0)
    sids = rng.integers(0, cases.CODES, (candidates, cases.LEVELS))
    one = {
        **cases.features(sids.tolist(), [[[1, 1], [2, 3], [0, 0]]], [[2, 2]]),
        "context_tab": tf.constant([1], tf.int64),
        "context_hour": tf.constant(np.arange(candidates), tf.float32),
    }
    scores = model(one)["click"].numpy()
    # The candidates, one current item and three history entries.
    assert layer.asked == [[candidates + 1 + 3, cases.LEVELS]]
    repeated = {
        name: value
        if name in ("candidate_sid", "context_hour")
        else tf.repeat(value, candidates, axis=0)
        for name, value in one.items()
    }
    np.testing.assert_allclose(scores, model(repeated)["click"], rtol=1e-5)


def labelled(**labels):
    features = cases.features([[0, 1], [1, 2], [3, 3]], [[[1, 1]], [NONE], [[2, 0]]])
    return features | {
        f"label_{name}": tf.constant(values, tf.float32) for name, values in labels.items()
    }


def test_the_loss_is_the_weighted_sum_of_the_tasks():
    click, watch = [1.0, 0.0, 1.0], [10.0, 250.0, 40.0]
    tasks = (TaskConfig("click", weight=2.0), TaskConfig("watch", type="regression", weight=0.25))
    model = cases.ranker(tasks, moments={"watch": LabelMoments(100.0, 50.0)})
    inputs = labelled(click=click, watch=watch)
    predictions = {name: value.numpy() for name, value in model(inputs).items()}
    p = predictions["click"]
    cross_entropy = -np.mean(np.where(np.array(click) == 1, np.log(p), np.log(1 - p)))
    squared = np.mean(((np.array(watch) - predictions["watch"]) / 50) ** 2)
    expected = 2 * cross_entropy + 0.25 * squared
    np.testing.assert_allclose(model.compute_loss(inputs), expected, rtol=1e-5)
    np.testing.assert_allclose(model.compute_loss(inputs, training=True), expected, rtol=1e-5)


def test_an_untrained_regression_predicts_around_the_mean_in_the_labels_unit():
    model = cases.ranker((cases.WATCH,), moments={"watch": LabelMoments(300.0, 40.0)})
    features = cases.features([[0, 1], [3, 3]], [[[1, 1]], [NONE]])
    before = model(features)["watch"].numpy()
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    np.testing.assert_allclose(model(features)["watch"], [300, 300])
    # Raw outputs of untrained weights are far below one standard deviation.
    assert np.all(np.abs(before - 300) < 40)


def compiled(model, dense=0.1, tables=0.1):
    model.compile(tf.keras.optimizers.SGD(dense), tf.keras.optimizers.SGD(tables))
    return model


def test_each_optimizer_trains_its_own_weights():
    context = ContextSpec({"context_tab": 3})
    inputs = labelled(click=[1, 0, 1]) | {"context_tab": tf.constant([0, 1, 2], tf.int64)}
    for dense, tables in ((0.1, 0.0), (0.0, 0.1)):
        model = compiled(cases.ranker(context=context), dense, tables)
        before = {weight.name: weight.numpy() for weight in model.trainable_variables}
        model.train_step(inputs)
        moved = {
            weight.name
            for weight in model.trainable_variables
            if np.abs(weight.numpy() - before[weight.name]).max() > 0
        }
        is_table = {name: "table" in name or "context_tab" in name for name in before}
        assert sum(is_table.values()) == 2
        assert moved
        assert all(is_table[name] == (tables > 0) for name in moved)


def test_regularisation_shrinks_dense_kernels_and_stays_out_of_the_reported_loss():
    inputs = labelled(click=[1, 0, 1])
    config = dataclasses.replace(cases.SMALL, l2=0.5)
    model = compiled(cases.ranker(config=config), dense=0.01)
    expected = float(cases.ranker().compute_loss(inputs))
    (cross,) = model.network._crosses
    before = np.square(cross._dense.kernel.numpy()).sum()
    assert float(model.train_step(inputs)["loss"]) == pytest.approx(expected, rel=1e-5)
    # Kernel <- kernel - 0.01 * 2 * 0.5 * kernel, up to the much smaller gradient of the loss.
    assert np.square(cross._dense.kernel.numpy()).sum() < before * 0.99


def test_the_reported_loss_is_the_mean_over_examples_not_batches():
    model = compiled(cases.ranker(), 0.0, 0.0)
    inputs = labelled(click=[1, 0, 1])
    first = {name: value[:2] for name, value in inputs.items()}
    last = {name: value[2:] for name, value in inputs.items()}
    a, b = (float(cases.ranker().compute_loss(part)) for part in (first, last))
    assert abs(a - b) > 1e-4
    data = tf.data.Dataset.from_tensor_slices(inputs).batch(2)
    logs = model.evaluate(data, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx((2 * a + b) / 3, rel=1e-5)
    assert logs["examples"] == 3
    assert "click_auc" in logs


REPLICAS = """
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from tests.trainer import ranker_cases as cases
weights = []
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    with strategy.scope():
        model = cases.ranker()
        model.compile(tf.keras.optimizers.SGD(0.5), tf.keras.optimizers.SGD(0.5))
    inputs = cases.features([[0, 1], [1, 2], [3, 3], [2, 0]], [[[1, 1]]] * 4)
    inputs["label_click"] = tf.constant([1.0, 0.0, 1.0, 1.0])
    data = tf.data.Dataset.from_tensors(inputs).unbatch().batch(4)
    history = model.fit(data, verbose=0).history
    weights.append(model.get_weights())
assert history["examples"] == [4], history
for one, two in zip(*weights):
    np.testing.assert_allclose(one, two, atol=1e-6)
print("same")
"""


def test_two_replicas_take_the_step_that_one_takes():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REPLICAS],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("same\n"), done.stderr[-2000:]
