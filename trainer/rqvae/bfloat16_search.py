"""Nearest codes by a product in bfloat16, with a float32 search of doubtful rows."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.float32_search import Float32Search

# Scores that one maximum is taken of.
_BLOCK = 16
# A lead, relative to the best score, that rounding does not make: two scores are each off by 2^-8
# of themselves at most, and half as much again is left for the rounding of what they are made of.
_CLEAR_LEAD = 3 * 2.0**-8


class Bfloat16Search:
    """Search of one level's nearest codes, fast on a processor that multiplies bfloat16.

    The scores r·e - |e|²/2 are computed in bfloat16. Where the best one has a clear lead, its code
    is taken for the nearest; the other rows, mostly one or two of ten, go to `Float32Search`.
    Rounding is relative to size, so rows and codes are taken relative to the codes' mean, and the
    half norms to theirs: neither changes which code is the nearest. The rounding of the rows and
    codes themselves averages out over their dimensions, so that a code with a clear lead is nearly
    certain, not certain: see `FastEncoder.agreement`. The codebook is a constant of the graph, as
    in `Float32Search`.
    """

    def __init__(self, codebook: np.ndarray):
        """Takes a codebook, float32 [K, d]."""
        mean = codebook.mean(axis=0, dtype=np.float64)
        centred = codebook - mean
        half_norms = 0.5 * np.square(centred).sum(axis=1)
        bias = half_norms.mean() - half_norms
        self._mean = mean.astype(np.float32)
        self._codes = centred.astype(np.float32)
        self._in_float32 = Float32Search(self._codes)
        # Codes up to a multiple of the block size, whose scores are very low.
        absent = -len(codebook) % _BLOCK
        # The half norms are two more dimensions, one for what the other's rounding leaves: added in
        # bfloat16 they would be as rough as the scores.
        rough = tf.cast(bias, tf.bfloat16).numpy().astype(np.float64)
        columns = np.concatenate([centred.T, rough[None], bias[None] - rough])
        self._columns = np.pad(columns, ((0, 0), (0, absent)))
        self._columns[-2, len(codebook) :] = -1e38

    def __call__(self, residuals: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The nearest code of each row, nearly always.

        Args:
            residuals: float32 [B, d].

        Returns:
            The codes, int32 [B], and what they leave over, float32 [B, d].
        """
        rows = residuals - self._mean
        code, clear = self._in_bfloat16(rows)
        doubtful = tf.where(~clear)
        searched, _ = self._in_float32(tf.gather_nd(rows, doubtful))
        code = tf.tensor_scatter_nd_update(code, doubtful, searched)
        return code, rows - tf.gather(tf.constant(self._codes), code)

    def clear_leads(self, residuals: tf.Tensor) -> tf.Tensor:
        """The mask of the rows that bfloat16 alone settles.

        Args:
            residuals: float32 [B, d].

        Returns:
            bool [B].
        """
        return self._in_bfloat16(residuals - self._mean)[1]

    def _in_bfloat16(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The codes of the best scores, int32 [B], and which lead clearly, bool [B]."""
        rows = tf.pad(rows, [[0, 0], [0, 2]], constant_values=1.0)
        columns = tf.constant(self._columns, tf.bfloat16)
        scores = tf.matmul(tf.cast(rows, tf.bfloat16), columns)
        blocks = scores.shape[1] // _BLOCK
        # Block j holds the scores j, j + blocks, j + 2 blocks, ...: as a pooling over a height, the
        # maximum is vectorised in bfloat16, which a reduction is not.
        pooled = tf.nn.max_pool2d(
            tf.reshape(scores, [-1, _BLOCK, 1, blocks]), [_BLOCK, 1], [_BLOCK, 1], "VALID"
        )
        maxima = tf.cast(tf.reshape(pooled, [-1, blocks]), tf.float32)
        block = tf.argmax(maxima, axis=1, output_type=tf.int32)
        of_block = tf.gather(tf.reshape(scores, [-1, _BLOCK, blocks]), block, axis=2, batch_dims=1)
        of_block = tf.cast(of_block, tf.float32)
        position = tf.argmax(of_block, axis=1, output_type=tf.int32)
        best = tf.reduce_max(maxima, axis=1, keepdims=True)
        least = best - _CLEAR_LEAD * tf.abs(best)
        rivals = _count(maxima >= least) + _count(of_block >= least)
        # The best one is counted twice; numbers that are not finite have no best one.
        return position * blocks + block, tf.equal(rivals, 2.0)


def _count(flags: tf.Tensor) -> tf.Tensor:
    """The number of true flags in each row of [B, n], float32 [B]."""
    return tf.reduce_sum(tf.cast(flags, tf.float32), axis=1)
