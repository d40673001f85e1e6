"""Codes that the Semantic IDs of a candidate and of the entries of a history share."""

import functools
import operator

import tensorflow as tf


def shared_codes(
    candidate: tf.Tensor, history: tf.Tensor, present: tf.Tensor, grouped: bool = False
) -> tf.Tensor:
    """The share of the codes that two Semantic IDs begin with alike.

    >>> entries = tf.constant([[[1, 2, 3, 5], [1, 9, 3, 4], [-1, -1, -1, -1]]])
    >>> shared_codes(tf.constant([[1, 2, 3, 4]]), entries, tf.constant([[True, True, False]]))
    <tf.Tensor: shape=(1, 3), dtype=float32, numpy=array([[0.75, 0.25, 0.  ]], dtype=float32)>

    Args:
        candidate: Integers [B, L].
        history: Integers [U, T, L]; U is B, or 1 where one user ranks B candidates.
        present: bool [U, T], which entries there are.
        grouped: Whether each of the U users has B / U candidates, side by side.

    Returns:
        float32 [B, T]; 0 where there is no item.
    """
    if grouped:
        groups = tf.concat([tf.shape(history)[:1], [-1, candidate.shape[1]]], axis=0)
        by_user = tf.reshape(candidate, groups)
        shared = shared_codes(by_user, history[:, None], present[:, None])
        return tf.reshape(shared, [-1, tf.shape(history)[1]])
    alike, found = present, []
    levels = zip(tf.unstack(candidate, axis=-1), tf.unstack(history, axis=-1), strict=True)
    for own, entry in levels:
        alike = tf.logical_and(alike, own[..., None] == entry)
        found.append(tf.cast(alike, tf.float32))
    return functools.reduce(operator.add, found) / len(found)
