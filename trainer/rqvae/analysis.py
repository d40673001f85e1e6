"""Statistics of Semantic IDs: pure functions over arrays."""

from collections.abc import Sequence

import numpy as np

from semantic_id_ranking.trainer.rqvae.prefix_row import PrefixRow

# Share of the codes that a level could use, below which it is idle.
_IDLE = 0.1


def codebook_use(sids: np.ndarray, codebook_size: int) -> list[float]:
    """Share of each level's codes that at least one item has.

    Args:
        sids: [N, L] int.
        codebook_size: Codes at each level (K).

    Returns:
        L numbers in 0..1.
    """
    return [len(np.unique(level)) / codebook_size for level in sids.T]


def idle_levels(use: Sequence[float], codebook_size: int, items: int) -> list[int]:
    """Levels, from 0, that use less than a tenth of the codes that they could.

    Args:
        use: Share of each level's codes in use.
        codebook_size: Codes at each level (K).
        items: Number of items; a level cannot use more codes than there are items.
    """
    return [
        level
        for level, share in enumerate(use)
        if share * codebook_size < _IDLE * min(codebook_size, items)
    ]


def perplexity(sids: np.ndarray) -> list[float]:
    """Exponential of the entropy of each level's codes: as many codes in even use have it.

    Args:
        sids: [N, L] int.

    Returns:
        L numbers from 1 to K.
    """
    result = []
    for level in sids.T:
        share = np.unique(level, return_counts=True)[1] / len(level)
        result.append(float(np.exp(-(share * np.log(share)).sum())))
    return result


def unique_fraction(sids: np.ndarray) -> float:
    """Share of items that share their Semantic ID with no other item; [N, L] int."""
    counts = np.unique(sids, axis=0, return_counts=True)[1]
    return float((counts == 1).sum() / len(sids))


def relative_error(embeddings: np.ndarray, reconstructed: np.ndarray, mean: np.ndarray) -> float:
    """||x - x_hat||^2 over ||x - mean||^2, both summed over the items.

    Args:
        embeddings: [N, D].
        reconstructed: [N, D].
        mean: [D], of the items that the quantiser was trained on.
    """
    errors, spreads = _squares(embeddings, reconstructed, mean)
    return _ratio(errors.sum(), spreads.sum())


def median_relative_error(
    embeddings: np.ndarray, reconstructed: np.ndarray, mean: np.ndarray
) -> float:
    """Relative error of medians instead of sums, which a few odd items do not change."""
    errors, spreads = _squares(embeddings, reconstructed, mean)
    return _ratio(np.median(errors), np.median(spreads))


def _squares(
    embeddings: np.ndarray, reconstructed: np.ndarray, mean: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each item's squared error and squared distance from the mean, float64 [N]."""
    return (
        np.square(embeddings - reconstructed, dtype=np.float64).sum(axis=1),
        np.square(embeddings - mean, dtype=np.float64).sum(axis=1),
    )


def _ratio(error: float, spread: float) -> float:
    return float(error / spread) if spread > 0 else 0.0


def prefix_table(
    sids: np.ndarray,
    embeddings: np.ndarray,
    pairs: int = 200_000,
    fewest: int = 30,
    seed: int = 0,
) -> list[PrefixRow]:
    """Likeness and number of the items below a shared prefix (arXiv 2306.08121).

    Args:
        sids: [N, L] int.
        embeddings: [N, D], of the same items.
        pairs: Random pairs of items of one prefix whose cosine is averaged, a level.
        fewest: Different pairs without which there is no mean: a few near-duplicates tell nothing.
        seed: Seed of the choice.

    Returns:
        A row for each prefix length.
    """
    rng = np.random.default_rng(seed)
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = embeddings / np.where(norms > 0, norms, 1)
    table = []
    for length in range(1, sids.shape[1] + 1):
        _, group, sizes = np.unique(
            sids[:, :length], axis=0, return_inverse=True, return_counts=True
        )
        group = group.reshape(-1)
        members = np.argsort(group, kind="stable")
        starts = np.cumsum(sizes) - sizes
        # A pair is a random item and a random other item of its group: each item counts alike.
        shared = int((sizes * (sizes - 1) // 2).sum())
        cosine = None
        if shared >= max(fewest, 1):
            first = rng.choice(np.flatnonzero(sizes[group] > 1), pairs)
            size = sizes[group[first]]
            position = np.empty(len(sids), np.int64)
            position[members] = np.arange(len(sids)) - np.repeat(starts, sizes)
            step = rng.integers(1, size)
            second = members[starts[group[first]] + (position[first] + step) % size]
            cosine = float(np.einsum("nd,nd->n", unit[first], unit[second]).mean())
        table.append(
            PrefixRow(
                prefix=length,
                pairs=shared,
                mean_cosine=cosine,
                subtree_size=[float(q) for q in np.percentile(sizes, [25, 50, 75])],
            )
        )
    return table
