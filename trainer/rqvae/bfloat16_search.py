"""Nearest codes by a product in bfloat16, and in float32 where its error could matter."""

import numpy as np
import tensorflow as tf

from trainer.rqvae.quantizer import nearest_codes

# Scores that one maximum is taken of, before single scores are looked at.
_BLOCK = 16
# With more near blocks than this a row, on average, the float32 product costs less.
_MAX_BLOCKS = 8
# Unit roundoff of bfloat16: 8 significant bits, round to nearest.
_ROUNDOFF = 2.0**-8
# Of a product's rounding error.
_DEVIATIONS = 8.0
# For what is not in the bound: float32 sums, and the rounding of the bound itself.
_SLACK = 1.01


class Bfloat16Search(tf.Module):
    """Search of one level's nearest codes, fast on a processor that multiplies bfloat16.

    The scores r·e - |e|²/2 are computed in bfloat16, a few of which are near the best one. How far
    rounding can have moved them follows from the Cauchy-Schwarz inequality: |r'·e' - r·e| <=
    |r' - r| |e'| + |r| |e' - e|. Rounding errors of many dimensions do not all add up, so of more
    than 64 dimensions d only 8 / sqrt(d) of that is counted: eight standard deviations where the
    dimensions are alike. Every code within twice the error of the best score is compared in
    float32. Rounding is relative to size, so the codes are stored
    without their mean, and so are the half norms: neither changes which score is the largest.

    Attributes:
        codebook: float32 [K, d].
        rounded: bfloat16 [K', d]: the centred codes, K' the next multiple of the block size.
        bias: bfloat16 [K'], minus the centred half norms; beyond code K a very low one.
        code_size: float32 scalar, the largest norm of a rounded code.
        code_error: float32 scalar, the largest norm of a code's rounding error.
        bias_error: float32 scalar, the largest rounding error of a half norm.
    """

    def __init__(self, codebook: np.ndarray):
        """Rounds a codebook.

        Args:
            codebook: float32 [K, d].
        """
        super().__init__()
        codes = codebook.astype(np.float64)
        centred = codes - codes.mean(axis=0)
        bias = -0.5 * np.square(codes).sum(axis=1)
        bias -= bias.mean()
        padding = -len(codes) % _BLOCK
        rounded = tf.cast(np.pad(centred, ((0, padding), (0, 0))), tf.bfloat16)
        rounded_bias = tf.cast(np.pad(bias, (0, padding), constant_values=-1e38), tf.bfloat16)
        sizes, errors = (
            np.linalg.norm(rows, axis=1).max()
            for rows in (rounded.numpy(), rounded.numpy()[: len(codes)] - centred)
        )
        bias_error = np.abs(rounded_bias.numpy()[: len(codes)] - bias).max()
        self.codebook = tf.Variable(codebook, trainable=False)
        self.rounded = tf.Variable(rounded, trainable=False)
        self.bias = tf.Variable(rounded_bias, trainable=False)
        self.code_size = tf.Variable(sizes, dtype=tf.float32, trainable=False)
        self.code_error = tf.Variable(errors, dtype=tf.float32, trainable=False)
        self.bias_error = tf.Variable(bias_error, dtype=tf.float32, trainable=False)

    def __call__(self, residuals: tf.Tensor) -> tf.Tensor:
        """The nearest code of each row, as `quantizer.nearest_codes`.

        Args:
            residuals: float32 [B, d].

        Returns:
            int32 [B]; of equally near codes the lowest.
        """
        rounded = tf.cast(residuals, tf.bfloat16)
        products = tf.matmul(rounded, self.rounded, transpose_b=True)
        scores = tf.nn.bias_add(products, self.bias)
        blocks = scores.shape[1] // _BLOCK
        # Block j holds the scores j, j + blocks, j + 2 blocks, ...: as a pooling over a height, the
        # maximum is vectorised in bfloat16, which a reduction is not.
        pooled = tf.nn.max_pool2d(
            tf.reshape(scores, [-1, _BLOCK, 1, blocks]), [_BLOCK, 1], [_BLOCK, 1], "VALID"
        )
        maxima = tf.cast(tf.reshape(pooled, [-1, blocks]), tf.float32)
        least = self._least_score(residuals, rounded, tf.reduce_max(maxima, axis=1))
        near = tf.cast(tf.where(maxima >= least[:, None]), tf.int32)
        return tf.cond(
            tf.shape(near)[0] <= _MAX_BLOCKS * tf.shape(residuals)[0],
            lambda: self._nearest_in(near, residuals, scores, least),
            lambda: nearest_codes(residuals, self.codebook),
        )

    def _least_score(self, residuals: tf.Tensor, rounded: tf.Tensor, best: tf.Tensor) -> tf.Tensor:
        """What the bfloat16 score of the nearest code is at least, float32 [B]."""
        moved = tf.norm(residuals - tf.cast(rounded, tf.float32), axis=1)
        sizes = tf.norm(residuals, axis=1)
        together = min(1.0, _DEVIATIONS / self.codebook.shape[1] ** 0.5)
        error = together * (moved * self.code_size + sizes * self.code_error) + self.bias_error
        # The scores themselves are rounded too: those near the best by its share of this, and those
        # further down than twice their error do not matter.
        error = _SLACK * error
        return best - 2 * error - 2 * _SLACK * _ROUNDOFF * (tf.abs(best) + 2 * error)

    def _nearest_in(
        self, near: tf.Tensor, residuals: tf.Tensor, scores: tf.Tensor, least: tf.Tensor
    ) -> tf.Tensor:
        """The nearest code of each row among those that score enough.

        Args:
            near: int32 [P, 2], row and block of the blocks that hold such a score.
            residuals: float32 [B, d].
            scores: bfloat16 [B, K'].
            least: float32 [B].

        Returns:
            int32 [B].
        """
        rows, codes = tf.shape(residuals)[0], self.codebook.shape[0]
        padded = scores.shape[1]
        first = near[:, 0] * padded + near[:, 1]
        steps = tf.range(0, padded, padded // _BLOCK)
        of_blocks = tf.gather(tf.reshape(scores, [-1]), first[:, None] + steps)
        enough = tf.cast(of_blocks, tf.float32) >= tf.gather(least, near[:, 0])[:, None]
        block, step = tf.unstack(tf.cast(tf.where(enough), tf.int32), axis=1)
        row = tf.gather(near[:, 0], block)
        code = tf.gather(near[:, 1], block) + step * (padded // _BLOCK)
        differences = tf.gather(residuals, row) - tf.gather(self.codebook, code)
        distances = tf.reduce_sum(tf.square(differences), axis=1)
        nearest = tf.math.unsorted_segment_min(distances, row, rows)
        code = tf.where(distances == tf.gather(nearest, row), code, codes)
        # A row of numbers that are not finite is near no code; it gets the last one.
        return tf.minimum(tf.math.unsorted_segment_min(code, row, rows), codes - 1)
