"""Beam search for the codes of an item, with less error than greedy search."""

import tensorflow as tf


def beam_codes(latents: tf.Tensor, codebooks: tf.Tensor, beam: int) -> tf.Tensor:
    """Codes by beam search.

    Each level extends every kept prefix by its nearest codes and keeps the `beam` prefixes that
    leave the smallest residuals; so a first code that is second-nearest may win. The price: a
    shared first code then means a little less, and encoding takes about `beam` times as long.

    Args:
        latents: float32 [B, d].
        codebooks: float32 [L, K, d]; L and K are static.
        beam: Prefixes kept.

    Returns:
        int32 [B, L].

    Reference:
        Babenko and Lempitsky, "Additive Quantization for Extreme Vector Compression" (2014).
    """
    batch = tf.shape(latents)[0]
    residuals = latents[:, None]  # [B, prefixes, d]
    codes = tf.zeros([batch, 1, 0], tf.int32)
    for codebook in tf.unstack(codebooks):
        size = codebook.shape[0]
        # |r - e|² = |r|² - 2 (r·e - |e|²/2), of every prefix with every code: [B, prefixes, K].
        half_norms = 0.5 * tf.reduce_sum(tf.square(codebook), axis=1)
        scores = tf.einsum("bpd,kd->bpk", residuals, codebook) - half_norms
        scores -= 0.5 * tf.reduce_sum(tf.square(residuals), axis=2, keepdims=True)
        flat = tf.reshape(scores, [batch, residuals.shape[1] * size])
        chosen = tf.math.top_k(flat, min(beam, flat.shape[1])).indices
        prefix, code = chosen // size, chosen % size
        codes = tf.concat([tf.gather(codes, prefix, batch_dims=1), code[:, :, None]], axis=2)
        residuals = tf.gather(residuals, prefix, batch_dims=1) - tf.gather(codebook, code)
    # top_k sorts: the first prefix leaves least.
    return codes[:, 0]
