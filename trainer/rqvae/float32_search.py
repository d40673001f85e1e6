"""Nearest codes by a product in float32 with a constant codebook."""

import numpy as np
import tensorflow as tf


class Float32Search:
    """Search of one level's nearest codes.

    It is `quantizer.nearest_codes` but for the codebook being a constant of the graph: oneDNN then
    keeps it packed, where for a variable each product packs it anew.
    """

    def __init__(self, codebook: np.ndarray):
        """Takes a codebook, float32 [K, d]."""
        self._codes = codebook
        half_norms = 0.5 * np.square(codebook, dtype=np.float64).sum(axis=1)
        self._bias = -half_norms.astype(np.float32)

    def __call__(self, residuals: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The nearest code of each row.

        Args:
            residuals: float32 [B, d].

        Returns:
            The codes, int32 [B], of equally near ones the lowest, and what they leave over, float32
            [B, d].
        """
        codes = tf.constant(self._codes)
        # The bias becomes part of the product.
        products = tf.matmul(residuals, codes, transpose_b=True)
        scores = tf.nn.bias_add(products, tf.constant(self._bias))
        nearest = tf.argmax(scores, axis=1, output_type=tf.int32)
        return nearest, residuals - tf.gather(codes, nearest)
