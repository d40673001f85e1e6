import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.history_pooling import AttentionHistory
from semantic_id_ranking.trainer.ranker.history_pooling import MeanHistory
from semantic_id_ranking.trainer.ranker.ranker_inputs import HistoryLabels
from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors
from semantic_id_ranking.trainer.ranker.shared_codes import shared_codes

DIM, TASKS = 3, 2


def inputs(users, length, tasks=TASKS, candidates=None, seed=0) -> RankerInputs:
    """Random inputs; some entries are absent, and all of the first of several users."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(8, DIM)).astype(np.float32)
    vectors[0] = 0
    index = rng.integers(0, 8, (users, length))
    if users > 1:
        index[0] = 0
    known = (rng.random((users, length, tasks)) < 0.7) & (index > 0)[:, :, None]
    labels = np.where(known, rng.normal(size=known.shape), 0).astype(np.float32)
    batch = candidates or users
    return RankerInputs(
        candidate=tf.constant(rng.normal(size=(batch, DIM)), tf.float32),
        current=tf.zeros([users, DIM]),
        history=ItemVectors(
            tf.constant(vectors), tf.constant(np.arange(8) > 0), tf.constant(index, tf.int32)
        ),
        history_labels=HistoryLabels(tf.constant(labels), tf.constant(known)),
        shared_codes=tf.constant(rng.random((batch, length)) * (index > 0), tf.float32),
        context={},
    )


@pytest.mark.parametrize("length", [0, 1, 6])
def test_mean_over_the_items_that_there_are(length):
    given = inputs(5, length)
    pooled, signals = MeanHistory()(given)
    items, present = given.history.all().numpy(), given.history.present.numpy()
    for user in range(5):
        kept = items[user][present[user]]
        expected = kept.mean(axis=0) if len(kept) else np.zeros(DIM)
        np.testing.assert_allclose(pooled[user], expected, rtol=1e-5, atol=1e-6)
    assert signals.shape == (5, 0)


def cosine(one, other):
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return one @ other / lengths if lengths else 0.0


def attended(given, row, user, query, fit, label_map):
    """One candidate's pooled history and signals, by a loop."""
    candidate, present = given.candidate[row].numpy(), given.history.present[user].numpy()
    labels, known = (part[user].numpy() for part in given.history_labels)
    tasks = labels.shape[1]
    # As if three labels of the mean of all users, which is 0, were beside.
    mean = labels.sum(axis=0) / (known.sum(axis=0) + 3)
    entries, likeness, weights = [], [], []
    for t, item in enumerate(given.history.all()[user].numpy()):
        entry = item + (np.concatenate([labels[t], known[t]]) @ label_map if tasks else 0)
        alike = [cosine(candidate, item), float(given.shared_codes[row, t])]
        score = candidate @ query @ entry / DIM**0.5 + np.array([*alike, np.log1p(t)]) @ fit
        entries.append(entry)
        likeness.append(alike)
        weights.append(np.exp(score) if present[t] else 0)
    vector, excess, similar = np.zeros(DIM), np.zeros(tasks), np.zeros(2)
    for t, entry in enumerate(entries):
        weight = weights[t] / sum(weights) if sum(weights) else 0
        vector += weight * entry
        excess += weight * np.where(known[t], labels[t] - mean, 0)
        similar += weight * np.array(likeness[t])
    return vector, [*similar, *excess, *mean]


def layer_with_weights(given, seed=2):
    """The layer, and its weights as `attended` takes them."""
    layer = AttentionHistory()
    layer(given)
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    by_name = {
        weight.name.partition(":")[0].split("/")[-1]: weight.numpy() for weight in layer.weights
    }
    return layer, [by_name.get(name) for name in ("query", "fit", "kernel")]


@pytest.mark.parametrize("tasks", [0, TASKS])
@pytest.mark.parametrize("length", [0, 1, 6])
@pytest.mark.parametrize("users", [5, 1])
def test_attention_weighs_by_fit_labels_likeness_and_position(users, length, tasks):
    given = inputs(users, length, tasks, candidates=4 if users == 1 else None)
    layer, weights = layer_with_weights(given)
    vector, signals = layer(given)
    for row in range(len(given.candidate)):
        expected = attended(given, row, row if users > 1 else 0, *weights)
        np.testing.assert_allclose(vector[row], expected[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(signals[row], expected[1], rtol=1e-4, atol=1e-5)


def test_attention_does_the_same_where_the_batch_size_is_not_known():
    given = inputs(4, 6)
    layer, _ = layer_with_weights(given)
    open_sizes = tf.nest.map_structure(
        lambda one: tf.TensorSpec(
            [
                None if axis < 2 and one.shape[axis] != DIM else one.shape[axis]
                for axis in range(len(one.shape))
            ],
            one.dtype,
        ),
        given,
    )
    found = tf.function(layer.call, [open_sizes])(given)
    for one, expected in zip(found, layer(given), strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-6)


def test_shared_codes_are_those_at_the_beginning():
    sids = tf.constant([[1, 2, 3, 4], [1, 9, 3, 4], [-1] * 4], tf.int64)
    past = tf.constant([[[1, 2, 3, 5], [1, 2, 3, 4], [-1] * 4]] * 3, tf.int64)
    present = tf.constant([[True, True, False]] * 3)
    expected = [[0.75, 1, 0], [0.25, 0.25, 0], [0, 0, 0]]
    np.testing.assert_array_equal(shared_codes(sids, past, present), expected)
    # One user's history for all candidates.
    np.testing.assert_array_equal(shared_codes(sids, past[:1], present[:1]), expected)


def test_no_vector_is_trained_through_the_cosine():
    given = inputs(3, 4)
    table = tf.Variable(given.history.distinct)
    layer, _ = layer_with_weights(given)
    layer.set_weights([0 * weight if weight.ndim > 1 else weight for weight in layer.get_weights()])
    with tf.GradientTape() as tape:
        history = given.history._replace(distinct=tf.convert_to_tensor(table))
        candidate = tf.gather(table, [1, 2, 3])
        _, signals = layer(given._replace(history=history, candidate=candidate))
        total = tf.reduce_sum(signals[:, 0]) + tf.reduce_sum(table[0])
    gradient = tf.convert_to_tensor(tape.gradient(total, table)).numpy()
    assert (gradient == np.eye(8)[:, :1]).all()
