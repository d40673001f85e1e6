"""Precomputed rows of the train split's items."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.item_keys import sid_keys
from semantic_id_ranking.trainer.ranker.representations.key_rows import constant_weight
from semantic_id_ranking.trainer.ranker.representations.key_rows import VocabularyRows

Tokenize = Callable[[tf.Tensor], tf.Tensor]


class KnownRows:
    """Looks rows up by Semantic ID, where tokenizing it anew every time would be slow."""

    def __init__(self, sids: np.ndarray, tokenize: Tokenize):
        """Tokenizes the Semantic IDs.

        Args:
            sids: int32 [N, L], with repetitions; in 0 .. K-1.
            tokenize: Semantic IDs int32 [n, L] to rows int64 [n, R].
        """
        keys = sid_keys(tf.constant(sids)).numpy()
        self._vocabulary = VocabularyRows(keys, np.ones(len(keys)))
        self._rows = tokenize(tf.constant(sids[self._vocabulary.first])).numpy().astype(np.int32)
        self._tokenize = tokenize

    def build(self, owner: tf.keras.layers.Layer) -> None:
        """Adds the rows to a layer's weights."""
        self._vocabulary.build(owner)
        self._rows_weight = constant_weight(owner, "rows", self._rows)

    def find(self, sid: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
        """Rows of Semantic IDs, known or not.

        Args:
            sid: int32 [n, L], -1 where there is no item.
            keys: int64 [n], their `sid_keys`.

        Returns:
            int64 [n, R], what `tokenize` gives.
        """
        position = self._vocabulary.find(keys)
        unknown = tf.where(position < 0)
        known = tf.cast(tf.gather(self._rows_weight, tf.maximum(position, 0)), tf.int64)
        rows = self._tokenize(tf.gather_nd(sid, unknown))
        return tf.tensor_scatter_nd_update(known, unknown, rows)
