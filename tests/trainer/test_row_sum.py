import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.history_pooling import MeanHistory
from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors
from semantic_id_ranking.trainer.ranker.representations.row_sum import read_rows
from semantic_id_ranking.trainer.ranker.representations.row_sum import segment_sum
from semantic_id_ranking.trainer.ranker.representations.row_sum import sum_of_all
from semantic_id_ranking.trainer.ranker.representations.row_sum import sum_rows

SHAPE = [1000, 32]
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(9, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def _used_memory():
    """Leaves behind memory that is not zero, for what takes memory and does not write to it."""
    _ = [tf.fill(SHAPE, 1e9) for _ in range(50)]


def by_loop(rows):
    return np.array([sum((TABLE[row] for row in item if row >= 0), np.zeros(4)) for item in rows])


def gradient_by_loop(rows, weight):
    gradient = np.zeros(TABLE.shape)
    for item, item_rows in enumerate(rows):
        for row in item_rows[item_rows >= 0]:
            gradient[row] += weight[item]
    return gradient


def test_sums_and_their_gradients():
    rows = RNG.integers(0, 9, (5, 3))
    table, weight = tf.Variable(TABLE), RNG.normal(size=(5, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        sums = sum_of_all(tf.convert_to_tensor(table), tf.constant(rows))
        loss = tf.reduce_sum(sums * weight)
    np.testing.assert_allclose(sums, by_loop(rows), rtol=1e-5)
    gradient = tape.gradient(loss, table)
    np.testing.assert_allclose(gradient, gradient_by_loop(rows, weight), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("whole", [False, True])
def test_rows_that_are_none_add_nothing(whole):
    rows = np.array([[3, -1, 3], [-1, -1, -1], [0, 8, -1]])
    table, weight = tf.Variable(TABLE), RNG.normal(size=(3, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        sums = sum_rows(table, tf.constant(rows, tf.int64), whole)
        loss = tf.reduce_sum(sums * weight)
    np.testing.assert_allclose(sums, by_loop(rows), rtol=1e-5)
    gradient = tape.gradient(loss, table)
    assert isinstance(gradient, tf.Tensor) == whole
    np.testing.assert_allclose(
        tf.convert_to_tensor(gradient), gradient_by_loop(rows, weight), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("whole", [False, True])
def test_rows_that_are_read_and_their_gradients(whole):
    rows = np.array([3, 8, 0])
    table, weight = tf.Variable(TABLE), RNG.normal(size=(3, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(read_rows(table, tf.constant(rows), whole) * weight)
    np.testing.assert_allclose(loss, np.sum(TABLE[rows] * weight), rtol=1e-5)
    gradient = tape.gradient(loss, table)
    assert isinstance(gradient, tf.Tensor) == whole
    np.testing.assert_allclose(
        tf.convert_to_tensor(gradient), gradient_by_loop(rows[:, None], weight), rtol=1e-5
    )


def gradient_of_sums(table, rows):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(sum_of_all(tf.convert_to_tensor(table), rows) ** 2)
    return tf.convert_to_tensor(tape.gradient(loss, table))


@pytest.mark.parametrize("items", [0, 1])
def test_the_gradient_of_no_rows_is_zero(items):
    """Of a batch that has no item, such as a replica's part of a short last one."""
    table = tf.Variable(tf.ones(SHAPE))
    rows = tf.zeros([items, 3], tf.int32)
    gradient = gradient_of_sums(table, rows).numpy()
    assert np.count_nonzero(gradient) == items * SHAPE[1]


def test_the_gradient_of_histories_without_an_item_is_zero():
    vectors = tf.Variable(tf.ones(SHAPE))

    with tf.GradientTape() as tape:
        there, index = tf.ones([SHAPE[0]], tf.bool), tf.zeros([4, 0], tf.int32)
        history = ItemVectors(tf.convert_to_tensor(vectors), there, index)
        absent = RankerInputs(tf.zeros([4, 32]), tf.zeros([4, 32]), history, None, None, {})
        loss = tf.reduce_sum(MeanHistory()(absent).vector)
    gradient = tf.convert_to_tensor(tape.gradient(loss, vectors))
    assert np.count_nonzero(gradient) == 0


def test_sums_without_rows_are_zero():
    sums = segment_sum(tf.constant(TABLE), tf.constant([2]), tf.constant([1]), tf.constant(3))
    np.testing.assert_allclose(sums, [np.zeros(4), TABLE[2], np.zeros(4)])
    none = tf.zeros([0], tf.int32)
    np.testing.assert_array_equal(segment_sum(tf.constant(TABLE), none, none, 2), np.zeros((2, 4)))
