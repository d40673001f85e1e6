"""Content vectors of Semantic IDs, from the codebooks of the RQ-VAE."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.key_rows import constant_weight
from semantic_id_ranking.trainer.ranker.representations.row_sum import sum_of_all

# Semantic IDs that the directions are taken from; more do not change them.
_SAMPLE = 20_000
_SMALLEST = 1e-12


class SidContent:
    """Vectors of Semantic IDs in the latent space of the RQ-VAE.

    The vectors of a Semantic ID's codes add up to the quantized latent vector of its item. It is
    projected onto the few directions in which the items of the train split vary most, and scaled
    to one length.
    """

    def __init__(self, codebooks: np.ndarray, sids: np.ndarray, dim: int):
        """Finds the directions: those of the largest singular values.

        Args:
            codebooks: float32 [L, K, m].
            sids: int32 [M, L], the Semantic IDs seen in training, each once.
            dim: Directions to keep, at most.
        """
        latents = _sums(codebooks, sids[:: max(len(sids) // _SAMPLE, 1)])
        latents /= np.maximum(np.linalg.norm(latents, axis=1, keepdims=True), _SMALLEST)
        # Eigenvalues ascend.
        _, directions = np.linalg.eigh(latents.T.astype(np.float64) @ latents)
        directions = directions[:, ::-1][:, :dim].astype(np.float32)
        self.dim = directions.shape[1]
        self._codes = (codebooks @ directions).reshape(-1, self.dim)
        self._offsets = np.arange(len(codebooks), dtype=np.int32) * codebooks.shape[1]

    def build(self, owner: tf.keras.layers.Layer) -> None:
        """Adds the codes' vectors to a layer's weights."""
        self.weight = constant_weight(owner, "content", self._codes)

    def find(
        self,
        sid: tf.Tensor,
        sum_rows: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = sum_of_all,
    ) -> tf.Tensor:
        """Content vectors of Semantic IDs.

        Args:
            sid: int32 [n, L]; all -1 where there is none, for which anything comes out.
            sum_rows: Adds up rows: `sum_of_all` or `sum_gathered`.

        Returns:
            float32 [n, dim], of mean square 1.
        """
        rows = tf.maximum(sid, 0) + self._offsets
        latents = sum_rows(tf.convert_to_tensor(self.weight), rows)
        square = tf.reduce_mean(tf.square(latents), axis=1, keepdims=True)
        return latents * tf.math.rsqrt(tf.maximum(square, _SMALLEST))


def _sums(codebooks: np.ndarray, sids: np.ndarray) -> np.ndarray:
    """Sums [n, m] of the vectors of Semantic IDs' codes, level by level to spare memory."""
    sums = np.zeros((len(sids), codebooks.shape[2]), np.float32)
    for codebook, codes in zip(codebooks, sids.T, strict=True):
        sums += codebook[codes]
    return sums
