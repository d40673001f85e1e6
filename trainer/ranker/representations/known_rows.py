"""Rows of the train split's items, worked out before training."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from trainer.ranker.representations.item_keys import sequence_keys

Cut = Callable[[tf.Tensor], tf.Tensor]


class KnownRows:
    """Looks rows up by Semantic ID, where cutting it anew in every step would be slow.

    It lives in the training graph alone; an exported model does not hold it.
    """

    def __init__(self, sids: np.ndarray, cut: Cut):
        """Cuts the Semantic IDs.

        Args:
            sids: int32 [N, L], with repetitions; in 0 .. K-1.
            cut: Semantic IDs int32 [n, L] to rows int64 [n, R].
        """
        keys = sequence_keys(tf.constant(sids))[:, -1].numpy()
        sorted_keys, first = np.unique(keys, return_index=True)
        self._cut = cut
        self._keys = tf.constant(sorted_keys)
        self._rows = cut(tf.constant(sids[first], tf.int32))

    def find(self, sid: tf.Tensor) -> tf.Tensor:
        """Rows of Semantic IDs, known or not.

        Args:
            sid: int32 [n, L].

        Returns:
            int64 [n, R], what `cut` gives.
        """
        keys = sequence_keys(sid)[:, -1]
        place = tf.minimum(tf.searchsorted(self._keys, keys), tf.size(self._keys) - 1)
        unknown = tf.where(tf.gather(self._keys, place) != keys)
        # Absent items are among the unknown ones.
        rows = self._cut(tf.gather_nd(sid, unknown))
        return tf.tensor_scatter_nd_update(tf.gather(self._rows, place), unknown, rows)
