"""Pooling of a user's history into one vector."""

from typing import NamedTuple

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs
from semantic_id_ranking.trainer.ranker.ranker_inputs import spread
from semantic_id_ranking.trainer.ranker.representations.row_sum import segment_sum
from semantic_id_ranking.trainer.ranker.representations.row_sum import sum_gathered

# A user's mean label counts as if there were so many labels of the mean of all users beside.
_PRIOR_LABELS = 3.0
# Weights of cosine, shared codes and position at first: the steps of an epoch change them little.
_FIT = (1.0, 1.0, 0.0)
# The score of an entry that there is not.
_NEVER = -1e9


class PooledHistory(NamedTuple):
    """A history in a form that does not depend on its length.

    Attributes:
        vector: float32 [U or B, d]; zero where there are no items.
        signals: float32 [B, S], numbers that say by themselves how well the candidate fits.
    """

    vector: tf.Tensor
    signals: tf.Tensor


class MeanHistory(tf.keras.layers.Layer):
    """The mean of the items that there are; zero where there are none."""

    def call(self, inputs: RankerInputs) -> PooledHistory:
        """Pools.

        Args:
            inputs: The history, of which the labels are not looked at.

        Returns:
            A vector a user; no signals.
        """
        history = inputs.history
        # Absent items have the zero vector, so the sums need no mask.
        if history.index.shape[0] == 1:
            total = sum_gathered(history.distinct, history.index)
        else:
            users, length = tf.shape(history.index)[0], tf.shape(history.index)[1]
            total = segment_sum(
                history.distinct,
                tf.reshape(history.index, [-1]),
                tf.repeat(tf.range(users), length),
                users,
            )
        count = tf.reduce_sum(tf.cast(history.present, tf.float32), axis=1)
        mean = total / tf.maximum(count, 1.0)[:, None]
        return PooledHistory(mean, tf.zeros([tf.shape(inputs.candidate)[0], 0]))


class AttentionHistory(tf.keras.layers.Layer):
    """The entries weighted by how well each fits the candidate.

    An entry is the sum of its item's vector and of a linear map of its labels. Its weight is the
    softmax, over the entries that there are, of the scaled product with a linear map of the
    candidate, plus a linear map of the cosine of both items' vectors, of the codes that they share,
    and of the logarithm of the position. The entries are the same for all candidates of a user;
    only the weights are a candidate's own.

    Signals are the weighted cosine and shared codes; of each task the weighted label less the
    user's own mean, which says whether the user liked such items better than others; and that mean.

    Reference: target attention as in DIN (arXiv 1706.06978), by scaled products.
    """

    def build(self, input_shape: RankerInputs) -> None:
        """Makes the maps."""
        dim = input_shape.candidate[-1]
        self._query = self.add_weight(
            name="query", shape=(dim, dim), initializer=tf.keras.initializers.Identity()
        )
        self._fit = self.add_weight(
            name="fit", shape=(3,), initializer=tf.keras.initializers.Constant(_FIT)
        )
        self._labels = tf.keras.layers.Dense(dim, use_bias=False, name="labels")
        super().build(input_shape)

    def call(self, inputs: RankerInputs) -> PooledHistory:
        """Pools.

        Args:
            inputs: Candidates and history.

        Returns:
            A vector and the signals of each candidate.
        """
        candidate, history = inputs.candidate, inputs.history
        dim, length = candidate.shape[1], tf.shape(history.index)[1]
        values, known = inputs.history_labels
        known = tf.cast(known, tf.float32)
        # The user's mean label, in standard deviations from the mean of all users.
        mean = tf.reduce_sum(values, axis=1) / (tf.reduce_sum(known, axis=1) + _PRIOR_LABELS)
        entries = history.all()
        grouped, batch = inputs.grouped, tf.shape(candidate)[0]
        if values.shape[2]:
            entries += self._labels(tf.concat([values, known], axis=2))
        directions = tf.gather(_direction(history.distinct), history.index)
        by_cosine, by_codes, by_position = tf.unstack(self._fit)
        # One product for all that depends on both candidate and entry.
        query = tf.matmul(candidate, self._query) * dim**-0.5
        direction = _direction(candidate)
        query = tf.concat([query, by_cosine * direction], axis=1)
        position = by_position * tf.math.log1p(tf.range(length, dtype=tf.float32))
        scores = _products(query, tf.concat([entries, directions], axis=2), grouped)
        scores += by_codes * inputs.shared_codes
        allowed = tf.where(history.present, position, _NEVER)
        scores += spread(allowed, batch) if grouped else allowed
        weights = tf.nn.softmax(scores, axis=1)
        pooled = tf.concat([entries, directions, known * (values - mean[:, None])], axis=2)
        # Where there are no entries, each has a weight all the same.
        pooled = tf.where(history.present[:, :, None], pooled, 0.0)
        pooled = _sums(weights, pooled, grouped)
        vector, towards, excess = tf.split(pooled, [dim, dim, values.shape[2]], axis=1)
        cosine = tf.reduce_sum(towards * direction, axis=1, keepdims=True)
        shared = tf.reduce_sum(weights * inputs.shared_codes, axis=1, keepdims=True)
        mean = spread(mean, batch) if grouped else tf.broadcast_to(mean, tf.shape(excess))
        return PooledHistory(vector, tf.concat([cosine, shared, excess, mean], axis=1))


def _direction(vectors: tf.Tensor) -> tf.Tensor:
    """Vectors [n, d] at length 1, which are not trained through it."""
    # The gradient of a direction is the larger, the less its row was trained.
    return tf.stop_gradient(tf.math.l2_normalize(vectors, axis=1))


def _products(queries: tf.Tensor, entries: tf.Tensor, grouped: bool) -> tf.Tensor:
    """Products [B, T] of [B, d] and [U, T, d]; of a user, in one multiplication."""
    if grouped:
        products = tf.matmul(_by_user(queries, entries), entries, transpose_b=True)
        return tf.reshape(products, [-1, tf.shape(entries)[1]])
    if entries.shape[0] == 1:
        return tf.matmul(queries, entries[0], transpose_b=True)
    return tf.matmul(entries, queries[:, :, None])[:, :, 0]


def _sums(weights: tf.Tensor, entries: tf.Tensor, grouped: bool) -> tf.Tensor:
    """Sums [B, d] of [U, T, d] by weights [B, T]."""
    if grouped:
        sums = tf.matmul(_by_user(weights, entries), entries)
        return tf.reshape(sums, [-1, entries.shape[2]])
    if entries.shape[0] == 1:
        return tf.matmul(weights, entries[0])
    return tf.matmul(weights[:, None], entries)[:, 0]


def _by_user(rows: tf.Tensor, entries: tf.Tensor) -> tf.Tensor:
    """Rows [B, k] of candidates as [U, B / U, k], for entries of U users."""
    users, each = tf.shape(entries)[0], tf.shape(rows)[0] // tf.maximum(tf.shape(entries)[0], 1)
    return tf.reshape(rows, tf.stack([users, each, tf.shape(rows)[1]]))
