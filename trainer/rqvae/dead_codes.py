"""Dead-code detection and reset."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.quantizer import nearest_codes


def used_codes(codes: tf.Tensor, levels: int, codebook_size: int) -> np.ndarray:
    """The mask of the codes in use among Semantic IDs [N, L]; bool [L, K]."""
    used = np.zeros((levels, codebook_size), bool)
    for level, column in enumerate(codes.numpy().T):
        used[level, column] = True
    return used


def use_by_level(used: np.ndarray) -> list[float]:
    """Share of each level's codes that are used; `used` is bool [L, K]."""
    return used.mean(axis=1).tolist()


def reset_dead_codes(
    model: RqVae, rows: tf.Tensor, rng: np.random.Generator, used: np.ndarray | None = None
) -> None:
    """Resets unused codes to the residuals that random items have at their level.

    Content is D wide and codes are d wide, so it has to be the encoded item's residual. The levels
    are mended in their order, as each changes what the next one is given.

    Args:
        model: The RQ-VAE, whose codebooks change.
        rows: float32 [N, D], standardised content embeddings.
        rng: Chooses the items.
        used: bool [L, K], what counts as used. None: what is nearest to one of the rows.

    Reference:
        Singh et al. (arXiv 2306.08121).
    """
    residual = model.encoder(rows)
    codebooks = model.codebooks.numpy()
    for level, codebook in enumerate(codebooks):
        nearest = nearest_codes(residual, tf.constant(codebook)).numpy()
        alive = np.bincount(nearest, minlength=len(codebook)) > 0 if used is None else used[level]
        dead = np.flatnonzero(~alive)
        if len(dead):
            chosen = np.resize(rng.permutation(len(rows)), len(dead))
            codebook[dead] = residual.numpy()[chosen]
            nearest = nearest_codes(residual, tf.constant(codebook))
        residual -= tf.gather(codebook, nearest)
    model.codebooks.assign(codebooks)
