"""Residual quantisation in float64, by NumPy: the reference of every faster method."""

import numpy as np

_SLICE_ROWS = 4096


def exact_codes(latents: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
    """Codes of the nearest vectors, level by level.

    Args:
        latents: float64 [N, d].
        codebooks: [L, K, d].

    Returns:
        int64 [N, L]; of equally near codes the lowest.
    """
    codebooks = codebooks.astype(np.float64)
    half_norms = 0.5 * np.square(codebooks).sum(axis=2)
    codes = np.empty((len(latents), len(codebooks)), np.int64)
    for begin in range(0, len(latents), _SLICE_ROWS):
        residual = latents[begin : begin + _SLICE_ROWS]
        for level, codebook in enumerate(codebooks):
            nearest = np.argmax(residual @ codebook.T - half_norms[level], axis=1)
            codes[begin : begin + _SLICE_ROWS, level] = nearest
            residual = residual - codebook[nearest]
    return codes
