"""Rows of known Semantic IDs, looked up rather than tokenized."""

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.item_keys import sid_keys
from semantic_id_ranking.trainer.ranker.representations.known_rows import KnownRows


class Tokenizer:
    """Rows [first, second + third, -1], -1 where there is no item; counts what it tokenizes."""

    def __init__(self):
        self.items = tf.Variable(0)

    def __call__(self, sid):
        self.items.assign_add(tf.shape(sid)[0])
        rows = tf.stack([sid[:, 0], sid[:, 1] + sid[:, 2], -tf.ones_like(sid[:, 0])], axis=1)
        return tf.cast(tf.where(sid[:, :1] >= 0, rows, -1), tf.int64)


@pytest.mark.parametrize("known", [1, 2, 3, 1000, 5000])
def test_known_unknown_and_absent_items_get_what_tokenizing_gives(known):
    rng = np.random.default_rng(known)
    sids = rng.integers(0, 50, (known, 3)).astype(np.int32)
    others = rng.integers(0, 50, (200, 3)).astype(np.int32)
    tokenize = Tokenizer()
    rows = KnownRows(sids, tokenize)
    rows.build(tf.keras.layers.Layer())
    beforehand = tokenize.items.numpy()
    assert beforehand == len(np.unique(sids, axis=0))
    asked = np.concatenate([sids[rng.permutation(known)], others, [[-1, -1, -1]]]).astype(np.int32)
    found = tf.function(lambda sid: rows.find(sid, sid_keys(sid)))(tf.constant(asked))
    ours = {tuple(sid) for sid in sids.tolist()}
    # Only what is not known was tokenized.
    assert tokenize.items.numpy() - beforehand == sum(
        tuple(sid) not in ours for sid in asked.tolist()
    )
    np.testing.assert_array_equal(found, Tokenizer()(tf.constant(asked)))
