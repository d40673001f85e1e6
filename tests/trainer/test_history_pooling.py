import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.history_pooling import AttentionHistory
from semantic_id_ranking.trainer.ranker.history_pooling import MeanHistory
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors

DIM = 3
RNG = np.random.default_rng(0)


def history(users, length, seed=0):
    """Items, of which some are absent; which ones there are; and their vectors."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(8, DIM)).astype(np.float32)
    vectors[0] = 0
    index = rng.integers(0, 8, (users, length))
    index[0] = 0
    items = ItemVectors(
        tf.constant(vectors), tf.constant(np.arange(8) > 0), tf.constant(index, tf.int32)
    )
    return items, index > 0, vectors[index]


@pytest.mark.parametrize("length", [0, 1, 6])
def test_mean_over_the_items_that_there_are(length):
    vectors, present, items = history(5, length)
    pooled = MeanHistory()(vectors, None).numpy()
    for user in range(5):
        kept = items[user][present[user]]
        expected = kept.mean(axis=0) if len(kept) else np.zeros(DIM)
        np.testing.assert_allclose(pooled[user], expected, rtol=1e-5, atol=1e-6)


def attended(items, present, candidate, query):
    """One candidate's history, by a loop."""
    scores = [candidate @ query @ item / DIM**0.5 for item in items]
    weights = [np.exp(score) if there else 0 for score, there in zip(scores, present, strict=True)]
    if not sum(weights):
        return np.zeros(DIM)
    return sum(w * item for w, item in zip(weights, items, strict=True)) / sum(weights)


@pytest.mark.parametrize("length", [0, 1, 6])
@pytest.mark.parametrize("users", [5, 1])
def test_attention_weighs_by_the_fit_to_the_candidate(users, length):
    vectors, present, items = history(users + 1, length)
    if users == 1:
        # The one user whose history is not empty.
        vectors = vectors._replace(index=vectors.index[1:])
        present, items = present[1:], items[1:]
    candidates = np.random.default_rng(1).normal(size=(len(present) if users > 1 else 4, DIM))
    candidates = candidates.astype(np.float32)
    layer = AttentionHistory()
    layer(vectors, tf.constant(candidates))
    query = np.random.default_rng(2).normal(size=(DIM, DIM)).astype(np.float32)
    layer.set_weights([query])
    pooled = layer(vectors, tf.constant(candidates)).numpy()
    assert pooled.shape == candidates.shape
    for row, candidate in enumerate(candidates):
        user = row if users > 1 else 0
        expected = attended(items[user], present[user], candidate, query)
        np.testing.assert_allclose(pooled[row], expected, rtol=1e-4, atol=1e-5)


def test_attention_does_the_same_where_the_batch_size_is_not_known():
    vectors, _, _ = history(4, 6)
    candidates = RNG.normal(size=(4, DIM)).astype(np.float32)
    layer = AttentionHistory()
    expected = layer(vectors, tf.constant(candidates))
    signature = [
        tf.TensorSpec([None, DIM]),
        tf.TensorSpec([None], tf.bool),
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, DIM]),
    ]
    call = tf.function(lambda v, p, i, c: layer(ItemVectors(v, p, i), c), signature)
    pooled = call(*vectors, tf.constant(candidates))
    np.testing.assert_allclose(pooled, expected, rtol=1e-5)
