"""Pooling of a user's history into one vector."""

from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors
from semantic_id_ranking.trainer.ranker.representations.row_sum import segment_sum


class MeanHistory(tf.keras.layers.Layer):
    """The mean of the items that there are; zero where there are none."""

    def call(self, history: ItemVectors, candidate: tf.Tensor) -> tf.Tensor:
        """Pools.

        Args:
            history: Vectors of [U, T] items.
            candidate: Not looked at.

        Returns:
            float32 [U, d].
        """
        del candidate
        users, length = tf.shape(history.index)[0], tf.shape(history.index)[1]
        # Absent items have the zero vector, so the sum needs no mask.
        total = segment_sum(
            history.distinct,
            tf.reshape(history.index, [-1]),
            tf.repeat(tf.range(users), length),
            users,
        )
        count = tf.reduce_sum(tf.cast(history.present, tf.float32), axis=1)
        return total / tf.maximum(count, 1.0)[:, None]


class AttentionHistory(tf.keras.layers.Layer):
    """The mean of the items weighted by how well each fits the candidate.

    The weight is the softmax, over the items that there are, of the scaled product of a linear map
    of the candidate and the item. The items' vectors are the same for all candidates; only the
    weights are a candidate's own.

    Reference: target attention as in DIN (arXiv 1706.06978), by scaled products.
    """

    def build(self, input_shape: Sequence[tf.TensorShape]) -> None:
        """Makes the map of the candidate."""
        dim = input_shape[0][-1]
        self._query = self.add_weight(
            name="query", shape=(dim, dim), initializer=tf.keras.initializers.Identity()
        )
        super().build(input_shape)

    def call(self, history: ItemVectors, candidate: tf.Tensor) -> tf.Tensor:
        """Pools.

        Args:
            history: Vectors of [U, T] items.
            candidate: float32 [B, d]; U is B or 1.

        Returns:
            float32 [B, d]; zero where there are no items.
        """
        items, present = history.all(), history.present
        query = tf.matmul(candidate, self._query) * candidate.shape[1] ** -0.5
        if present.shape[0] == 1:
            # One product for all candidates.
            scores = tf.matmul(query, items[0], transpose_b=True)
        else:
            scores = tf.matmul(items, query[:, :, None])[:, :, 0]
        weights = tf.nn.softmax(tf.where(present, scores, scores.dtype.min), axis=1)
        weights = tf.where(present, weights, 0.0)
        if present.shape[0] == 1:
            return tf.matmul(weights, items[0])
        return tf.matmul(weights[:, None], items)[:, 0]
