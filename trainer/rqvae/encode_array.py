"""Semantic IDs of an array of any size, by an RQ-VAE that is at hand."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.model import RqVae

_SLICE = 4096


def encode_array(model: RqVae, embeddings: np.ndarray) -> np.ndarray:
    """Encodes slice by slice, so that the scores of all rows are never in memory at once.

    Args:
        model: The RQ-VAE.
        embeddings: float32 [N, D].

    Returns:
        int32 [N, L].
    """
    # One slice even of no rows, so that the result has its width.
    begins = range(0, max(len(embeddings), 1), _SLICE)
    parts = [embeddings[begin : begin + _SLICE] for begin in begins]
    return np.concatenate([model.encode(tf.constant(part, tf.float32)).numpy() for part in parts])
