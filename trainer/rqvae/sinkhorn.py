"""Sinkhorn balancing of a batch's codes."""

import tensorflow as tf

_ITERATIONS = 5


def balanced_codes(residuals: tf.Tensor, codebook: tf.Tensor, epsilon: float) -> tf.Tensor:
    """Near codes of a batch, chosen together so that all codes are used about alike.

    Entropic optimal transport between the items and the codes, both with even weights, by
    Sinkhorn's iterations; each item then takes the code that most of its weight goes to.

    Args:
        residuals: float32 [B, d].
        codebook: float32 [K, d].
        epsilon: Weight of the entropy, relative to the mean squared distance from an item to a
            code: the nearest codes as it goes to 0, evener use the larger it is.

    Returns:
        int32 [B].

    Reference:
        Cuturi, "Sinkhorn Distances" (arXiv 1306.0895); in Semantic IDs: Zheng et al., LC-Rec (arXiv
        2311.09049).
    """
    distances = (
        tf.reduce_sum(tf.square(residuals), axis=1, keepdims=True)
        - 2.0 * tf.matmul(residuals, codebook, transpose_b=True)
        + tf.reduce_sum(tf.square(codebook), axis=1)
    )
    scores = -tf.math.divide_no_nan(distances, epsilon * tf.reduce_mean(distances))
    for _ in range(_ITERATIONS):
        scores -= tf.reduce_logsumexp(scores, axis=0, keepdims=True)
        scores -= tf.reduce_logsumexp(scores, axis=1, keepdims=True)
    return tf.argmax(scores, axis=1, output_type=tf.int32)
