"""Distinct items of a batch."""

from collections.abc import Sequence

import tensorflow as tf


def distinct_items(keys: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the distinct items: an item returns many times in a batch of histories.

    Args:
        keys: One or more of int64 [n]; two items are the same where all keys agree.

    Returns:
        For each of the U distinct items, the position of one of its occurrences, int32 [U]; and for
        each of the n, the index of its distinct item, int32 [n].
    """
    count = tf.size(keys[0])
    _, index = tf.unique(keys[0])
    for key in keys[1:]:
        _, other = tf.unique(key)
        pair = tf.cast(index, tf.int64) * tf.cast(count, tf.int64) + tf.cast(other, tf.int64)
        _, index = tf.unique(pair)
    distinct = tf.reduce_max(tf.concat([index, [-1]], axis=0)) + 1
    # Of the occurrences of one item the last is kept; they all hold the same.
    position = tf.tensor_scatter_nd_update(
        tf.zeros([distinct], tf.int32), index[:, None], tf.range(count)
    )
    return position, index
