"""Residual k-means, the start of the codebooks."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.rqvae.quantizer import map_slices
from trainer.rqvae.quantizer import nearest_codes

# How far the two halves of a split cluster start from each other, relative to its mean.
_SPLIT = 1 / 1024


def residual_kmeans(
    rows: np.ndarray, sizes: Sequence[int], iterations: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Codebooks by k-means, each level on what the levels before left over.

    Args:
        rows: float32 [N, d]; N may be smaller than a level's codes.
        sizes: Codes of each level.
        iterations: Lloyd steps a level; 0 keeps the random rows that they start from.
        rng: Source of randomness.

    Returns:
        L arrays, float32 [K_l, d].
    """
    residual = tf.constant(rows, tf.float32)
    codebooks = []
    for size in sizes:
        codebook = kmeans(residual, size, iterations, rng)
        codebooks.append(codebook.numpy())
        residual = residual - tf.gather(codebook, _nearest(residual, codebook))
    return codebooks


def kmeans(rows: tf.Tensor, clusters: int, iterations: int, rng: np.random.Generator) -> tf.Tensor:
    """Lloyd's algorithm from random rows.

    An empty cluster takes half of one of the largest clusters: both start beside its mean, a little
    apart. Splitting did better here than taking the farthest rows.

    Args:
        rows: float32 [N, d].
        clusters: K.
        iterations: Lloyd steps.
        rng: Source of randomness.

    Returns:
        float32 [K, d].
    """
    count = int(rows.shape[0])
    start = rng.permutation(count)[:clusters]
    extra = rng.integers(0, count, clusters - len(start))
    means = tf.gather(rows, np.concatenate([start, extra]))
    for iteration in range(iterations):
        means, sizes = _lloyd(rows, means)
        if iteration < iterations - 1:
            means = _split_largest(means.numpy(), sizes.numpy())
    return means


@tf.function(reduce_retracing=True)
def _nearest(rows: tf.Tensor, means: tf.Tensor) -> tf.Tensor:
    # In slices: the scores of 164,000 rows against 2,048 means would be 1.3 GB.
    return map_slices(lambda part: nearest_codes(part, means), rows)


@tf.function(reduce_retracing=True)
def _lloyd(rows: tf.Tensor, means: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    nearest = _nearest(rows, means)
    clusters = tf.shape(means)[0]
    sizes = tf.math.unsorted_segment_sum(tf.ones_like(rows[:, 0]), nearest, clusters)
    sums = tf.math.unsorted_segment_sum(rows, nearest, clusters)
    means = tf.where(sizes[:, None] > 0, sums / tf.maximum(sizes, 1.0)[:, None], means)
    return means, sizes


def _split_largest(means: np.ndarray, sizes: np.ndarray) -> tf.Tensor:
    empty = np.flatnonzero(sizes == 0)
    largest = np.argsort(-sizes, kind="stable")[: len(empty)]
    empty = empty[: len(largest)]
    # Alternating signs: the halves differ in direction, not in length only.
    shift = _SPLIT * np.where(np.arange(means.shape[1]) % 2, 1, -1).astype(np.float32)
    means[empty] = means[largest] * (1 + shift)
    means[largest] *= 1 - shift
    return tf.constant(means)
