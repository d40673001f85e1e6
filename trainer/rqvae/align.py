"""Renumbering of an RQ-VAE's codes, so that items keep the Semantic IDs of an earlier one."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from semantic_id_ranking.trainer.rqvae.model import RqVae


def align_codes(
    old_codes: np.ndarray,
    new_codes: np.ndarray,
    codebook_size: int,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Names for a new RQ-VAE's codes with which most items keep their old ones.

    Level by level, the names are the one-to-one assignment that lets most items keep the prefix
    that ends there, given the names of the levels above. Where several do, it is the one of them
    with which most items keep the code of this level, whatever lies above.

    >>> align_codes(np.array([[0], [0], [1]]), np.array([[1], [1], [0]]), 2).tolist()
    [[1, 0]]

    Args:
        old_codes: Integers [n, L], what the earlier RQ-VAE gives the items.
        new_codes: Integers [n, L], what the new one gives the same items.
        codebook_size: Codes at each level (K).
        weights: Floats [n] above 0, how much an item counts, such as its impressions; None: alike.

    Returns:
        int32 [L, K], of each level a permutation: the new name of each code.

    Raises:
        ValueError: The arrays are not of one shape, or a code is outside 0 .. K-1.

    Reference:
        Linear assignment: Kuhn, "The Hungarian method for the assignment problem" (1955), by
        `scipy.optimize.linear_sum_assignment`.
    """
    old, new = np.asarray(old_codes), np.asarray(new_codes)
    if old.ndim != 2 or old.shape != new.shape:
        raise ValueError(
            f"old and new codes must be of one shape [n, L], not {old.shape}, {new.shape}"
        )
    for name, codes in (("old", old), ("new", new)):
        if codes.size and not 0 <= codes.min() <= codes.max() < codebook_size:
            raise ValueError(f"{name} codes must be in 0 .. {codebook_size - 1}")
    weights = np.ones(len(old)) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != old.shape[:1] or not (weights > 0).all():
        raise ValueError(f"weights must be [{len(old)}] numbers above 0")
    # An item that keeps its prefix outweighs all those that would keep this level's code alone.
    first = weights.sum() / weights.min() + 1 if len(weights) else 1.0
    kept = np.ones(len(old), bool)
    permutations = np.empty((old.shape[1], codebook_size), np.int32)
    for level in range(old.shape[1]):
        gain = np.zeros((codebook_size, codebook_size))
        counts = weights * np.where(kept, first + 1, 1)
        np.add.at(gain, (new[:, level], old[:, level]), counts)
        codes, names = linear_sum_assignment(gain, maximize=True)
        permutations[level, codes] = names
        kept &= permutations[level, new[:, level]] == old[:, level]
    return permutations


def rename(sids: np.ndarray, permutations: np.ndarray) -> np.ndarray:
    """Semantic IDs in new names.

    Args:
        sids: Integers [n, L] in 0 .. K-1.
        permutations: Integers [L, K], of `align_codes`.

    Returns:
        int32 [n, L].
    """
    return np.take_along_axis(np.asarray(permutations, np.int32).T, np.asarray(sids), axis=0)


def rename_codes(model: RqVae, permutations: np.ndarray) -> None:
    """Gives an RQ-VAE's codes new names: nothing but the order of its codebooks changes.

    The decoder sees the sum of the codes' vectors, and each level the residual that the codes
    above leave, whatever their names. So the model encodes an item to the renamed codes (of two
    codes with one vector, the one whose name is lower) and decodes these to the same embedding.

    Args:
        model: The RQ-VAE, whose codebooks change; it lives in another SID space then.
        permutations: Integers [L, K], of `align_codes`.
    """
    codebooks = model.codebooks.numpy()
    renamed = np.empty_like(codebooks)
    np.put_along_axis(renamed, permutations[:, :, None].astype(np.int64), codebooks, axis=1)
    model.codebooks.assign(renamed)
