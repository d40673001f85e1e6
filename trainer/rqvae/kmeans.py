"""Residual k-means, the initialization of the codebooks."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.quantizer import map_slices
from semantic_id_ranking.trainer.rqvae.quantizer import nearest_codes

# How far the two halves of a split cluster start from each other, relative to its mean.
_SPLIT = 1 / 1024
# Numbers of dimensions that k-means goes through.
_STEPS = 10


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


def refined(
    rows: np.ndarray, codebooks: Sequence[np.ndarray], given: np.ndarray, iterations: int
) -> list[np.ndarray]:
    """Codebooks after some Lloyd steps a level, each on what the levels before then leave over.

    Args:
        rows: float32 [N, d].
        codebooks: L arrays, float32 [K_l, d]; a code that no row has stays.
        given: int32 [N, L], the codes that rows have whatever is nearest; -1: the nearest.
        iterations: Lloyd steps a level.

    Returns:
        L arrays, float32 [K_l, d].
    """
    residual = tf.constant(rows, tf.float32)
    result = []
    for codebook, codes in zip(codebooks, given.T, strict=True):
        means = tf.constant(codebook)
        for _ in range(iterations):
            means, _ = _means(residual, means, _given_or_nearest(residual, means, codes))
        result.append(means.numpy())
        residual = residual - tf.gather(means, _given_or_nearest(residual, means, codes))
    return result


def _given_or_nearest(rows: tf.Tensor, means: tf.Tensor, given: np.ndarray) -> tf.Tensor:
    return tf.where(given >= 0, given, _nearest(rows, means))


def kmeans(rows: tf.Tensor, clusters: int, iterations: int, rng: np.random.Generator) -> tf.Tensor:
    """Lloyd's algorithm, dimension by dimension.

    The rows are turned to their principal axes. The means are found among the first axis alone,
    then among the first few, and so on to all of them, each time from where the last ones were: few
    dimensions have few bad local minima, and more of them seldom lead away from there. On one
    clustered set random initialization left a tenth more.

    An empty cluster takes half of one of the largest clusters: both start beside its mean, a little
    apart. Splitting did better here than taking the farthest rows.

    Args:
        rows: float32 [N, d].
        clusters: K.
        iterations: Lloyd steps, for each number of dimensions; 0 keeps random rows.
        rng: Source of randomness.

    Returns:
        float32 [K, d].

    Reference:
        Progressive dimensions: FAISS, `ProgressiveDimClustering`.
    """
    count, width = rows.shape
    start = rng.permutation(count)[:clusters]
    extra = rng.integers(0, count, clusters - len(start))
    start = np.concatenate([start, extra])
    if not iterations:
        return tf.gather(rows, start)
    centre = tf.reduce_mean(rows, axis=0)
    centred = rows - centre
    # eigh sorts by increasing variance.
    axes = tf.reverse(tf.linalg.eigh(tf.matmul(centred, centred, transpose_a=True))[1], [1])
    turned = tf.matmul(centred, axes)
    means = tf.gather(turned, start)[:, :0]
    steps = _dimensions(width)
    means = tf.gather(turned[:, : steps[0]], start)
    for dimensions in steps:
        part = turned[:, :dimensions]
        means = tf.pad(means, [[0, 0], [0, dimensions - means.shape[1]]])
        for iteration in range(iterations):
            means, sizes = _lloyd(part, means)
            if iteration < iterations - 1:
                means = _split_largest(means.numpy(), sizes.numpy())
    return tf.matmul(means, axes, transpose_b=True) + centre


def _dimensions(width: int) -> list[int]:
    """Numbers of dimensions that grow by one factor, up to the width."""
    return sorted({round(width ** (step / _STEPS)) for step in range(1, _STEPS + 1)})


@tf.function(reduce_retracing=True)
def _nearest(rows: tf.Tensor, means: tf.Tensor) -> tf.Tensor:
    # In slices: the scores of 164,000 rows against 2,048 means would be 1.3 GB.
    return map_slices(lambda part: nearest_codes(part, means), rows)


@tf.function(reduce_retracing=True)
def _lloyd(rows: tf.Tensor, means: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return _means(rows, means, _nearest(rows, means))


def _means(rows: tf.Tensor, means: tf.Tensor, codes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The mean of the rows of each code, as before where there are none; and their numbers."""
    clusters = tf.shape(means)[0]
    sizes = tf.math.unsorted_segment_sum(tf.ones_like(rows[:, 0]), codes, clusters)
    sums = tf.math.unsorted_segment_sum(rows, codes, clusters)
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
