"""Residual quantisation: pure functions over tensors, without a model and without state."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

# Rows whose scores against 2,048 codes (8 MB) still fit a CPU's second- and third-level caches.
SLICE_ROWS = 1024
# Two slices at a time: while one is in its matrix product, the other is in the memory-bound argmax.
PARALLEL_SLICES = 2


class Quantized(NamedTuple):
    """Result of `residual_quantize` for B latent vectors of width d, with L codebooks.

    Attributes:
        codes: int32 [B, L], 0 .. K-1.
        quantized: float32 [B, d], the sum of the codes' vectors.
        residuals: L tensors, float32 [B, d]: what each level was given, so the first is the latent
            itself.
    """

    codes: tf.Tensor
    quantized: tf.Tensor
    residuals: list[tf.Tensor]


def nearest_codes(residuals: tf.Tensor, codebook: tf.Tensor) -> tf.Tensor:
    """The nearest code of each row.

    argmin |r - e|² = argmax (r·e - |e|²/2): one matrix product, no [B, K, d] difference. The
    maximum, because TensorFlow's argmax is vectorised on CPUs and its argmin took twice the time.

    Args:
        residuals: float32 [B, d].
        codebook: float32 [K, d].

    Returns:
        int32 [B]; of equally near codes the lowest.
    """
    half_norms = 0.5 * tf.reduce_sum(tf.square(codebook), axis=1)
    scores = tf.matmul(residuals, codebook, transpose_b=True) - half_norms
    return tf.argmax(scores, axis=1, output_type=tf.int32)


def residual_quantize(latents: tf.Tensor, codebooks: tf.Tensor) -> Quantized:
    """Quantises latent vectors, each level what the levels before left over.

    Args:
        latents: float32 [B, d].
        codebooks: float32 [L, K, d]; L is static.

    Returns:
        Codes, quantised vectors and the residual that each level was given.

    Reference:
        Singh et al., "Better Generalization with Semantic IDs" (arXiv 2306.08121).
    """
    codes, residuals = [], []
    residual = latents
    for level in range(codebooks.shape[0]):
        residuals.append(residual)
        codes.append(nearest_codes(residual, codebooks[level]))
        residual = residual - tf.gather(codebooks[level], codes[-1])
    return Quantized(tf.stack(codes, axis=1), latents - residual, residuals)


def look_up(codes: tf.Tensor, codebooks: tf.Tensor) -> tf.Tensor:
    """The vectors of codes.

    Args:
        codes: int32 [B, L].
        codebooks: float32 [L, K, d].

    Returns:
        float32 [L, B, d].

    Raises:
        tf.errors.InvalidArgumentError: A code is outside 0 .. K-1 (on CPUs; TensorFlow on GPUs
        gives zeros).
    """
    return tf.gather(codebooks, tf.transpose(codes), batch_dims=1)


def of_finite(codes: tf.Tensor, latents: tf.Tensor) -> tf.Tensor:
    """Codes int32 [B, L], -1 where the embedding of latents float32 [B, d] was not finite.

    The encoder sums over all numbers of an embedding, so that one which is not finite shows in any
    number of its latents: one is looked at.
    """
    return tf.where(tf.math.is_finite(latents[:, :1]), codes, -1)


def map_slices(function: Callable[[tf.Tensor], tf.Tensor], rows: tf.Tensor) -> tf.Tensor:
    """Applies a function of rows slice by slice, so that its intermediate results stay in cache.

    Call it inside a tf.function: only there do the slices run two at a time.

    Args:
        function: [S, …] -> int32 [S, L], where each row of the result depends on that row only.
        rows: [B, …].

    Returns:
        int32 [B, L]: `function(rows)`.
    """
    # One slice even of no rows, so that the result has its width.
    slices = tf.maximum(1, -(-tf.shape(rows)[0] // SLICE_ROWS))

    def one_slice(index: tf.Tensor, results: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        start = index * SLICE_ROWS
        return index + 1, results.write(index, function(rows[start : start + SLICE_ROWS]))

    results = tf.TensorArray(tf.int32, slices, infer_shape=False)
    _, results = tf.while_loop(
        lambda index, _: index < slices,
        one_slice,
        (0, results),
        parallel_iterations=PARALLEL_SLICES,
    )
    return results.concat()
