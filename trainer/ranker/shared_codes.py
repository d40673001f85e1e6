"""Codes that the Semantic IDs of a candidate and of the entries of a history share."""

import functools
import operator

import tensorflow as tf


def shared_codes(candidate: tf.Tensor, history: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """The share of the codes that two Semantic IDs begin with alike.

    >>> entries = tf.constant([[[1, 2, 3, 5], [1, 9, 3, 4], [-1, -1, -1, -1]]])
    >>> shared_codes(tf.constant([[1, 2, 3, 4]]), entries, tf.constant([[True, True, False]]))
    <tf.Tensor: shape=(1, 3), dtype=float32, numpy=array([[0.75, 0.25, 0.  ]], dtype=float32)>

    Args:
        candidate: Integers [B, L].
        history: Integers [U, T, L]; U is B, or 1 where one user ranks B candidates.
        present: bool [U, T], which entries there are.

    Returns:
        float32 [B, T]; 0 where there is no item.
    """
    alike, found = present, []
    levels = zip(tf.unstack(candidate, axis=1), tf.unstack(history, axis=2), strict=True)
    for own, entry in levels:
        alike = tf.logical_and(alike, own[:, None] == entry)
        found.append(tf.cast(alike, tf.float32))
    return functools.reduce(operator.add, found) / len(found)
