"""Nearest codes by a product in bfloat16, whose best few are compared in float32."""

import numpy as np
import tensorflow as tf

# Scores that one maximum is taken of.
_BLOCK = 16
# Blocks that are looked into, and codes that are compared in float32. With three of each, one code
# in 5,000 was not the nearest on trained codebooks; with four, none in 160,000.
_CANDIDATES = 4


class Bfloat16Search:
    """Search of one level's nearest codes, fast on a processor that multiplies bfloat16.

    The scores r·e - |e|²/2 are computed in bfloat16; the codes of the four best ones are compared
    in float32. Rounding is relative to size, so rows and codes are taken relative to the codes'
    mean, and the half norms to theirs: neither changes which code is the nearest. That it is among
    the four is likely, not certain: see `FastEncoder.agreement`. The codebook is a constant of the
    graph, as in `Float32Search`.
    """

    def __init__(self, codebook: np.ndarray):
        """Takes a codebook, float32 [K, d]."""
        mean = codebook.mean(axis=0, dtype=np.float64)
        codes = codebook - mean
        half_norms = 0.5 * np.square(codes).sum(axis=1)
        # Codes up to a multiple of the block size, whose scores are very low.
        absent = _BLOCK * max(_CANDIDATES, -(-len(codes) // _BLOCK)) - len(codes)
        self._mean = mean.astype(np.float32)
        self._codes = codes.astype(np.float32)
        self._half_norms = half_norms.astype(np.float32)
        self._padded = np.pad(self._codes, ((0, absent), (0, 0)))
        bias = half_norms.mean() - half_norms
        self._bias = np.pad(bias, (0, absent), constant_values=-1e38)

    def __call__(self, residuals: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The nearest code of each row, nearly always.

        Args:
            residuals: float32 [B, d].

        Returns:
            The codes, int32 [B], and what they leave over, float32 [B, d].
        """
        rows = residuals - self._mean
        codes = tf.constant(self._codes)
        candidates = self._candidates(tf.cast(rows, tf.bfloat16))
        vectors = tf.gather(codes, candidates)
        products = tf.squeeze(tf.matmul(vectors, rows[:, :, None]), axis=2)
        scores = products - tf.gather(self._half_norms, candidates)
        best = scores >= tf.reduce_max(scores, axis=1, keepdims=True)
        # Of equally near ones the lowest; a row of numbers that are not finite has no best one.
        last = len(self._codes) - 1
        nearest = tf.reduce_min(tf.where(best, candidates, last), axis=1)
        return nearest, rows - tf.gather(codes, nearest)

    def _candidates(self, rows: tf.Tensor) -> tf.Tensor:
        """The codes of the best bfloat16 scores, int32 [B, 4], of rows bfloat16 [B, d]."""
        codes = tf.constant(self._padded.T, tf.bfloat16)
        scores = tf.nn.bias_add(tf.matmul(rows, codes), tf.constant(self._bias, tf.bfloat16))
        blocks = scores.shape[1] // _BLOCK
        # Block j holds the scores j, j + blocks, j + 2 blocks, ...: as a pooling over a height, the
        # maximum is vectorised in bfloat16, which a reduction is not.
        pooled = tf.nn.max_pool2d(
            tf.reshape(scores, [-1, _BLOCK, 1, blocks]), [_BLOCK, 1], [_BLOCK, 1], "VALID"
        )
        maxima = tf.cast(tf.reshape(pooled, [-1, blocks]), tf.float32)
        block = tf.math.top_k(maxima, _CANDIDATES, sorted=False).indices
        of_blocks = tf.gather(tf.reshape(scores, [-1, _BLOCK, blocks]), block, axis=2, batch_dims=1)
        flat = tf.reshape(tf.cast(of_blocks, tf.float32), [-1, _BLOCK * _CANDIDATES])
        place = tf.math.top_k(flat, _CANDIDATES, sorted=False).indices
        step, of_block = place // _CANDIDATES, tf.gather(block, place % _CANDIDATES, batch_dims=1)
        return tf.minimum(step * blocks + of_block, len(self._codes) - 1)
