"""Agreement of two sets of Semantic IDs of the same items: pure functions over arrays."""

import numpy as np
from sklearn.metrics import mutual_info_score
from sklearn.metrics import normalized_mutual_info_score


def code_agreement(first: np.ndarray, second: np.ndarray) -> list[float]:
    """Share of items whose codes are equal in both, by the length of the prefix.

    Codes are names that training gives at will, so two spaces of the same quality may agree in
    nothing.

    Args:
        first: int [N, L].
        second: int [N, L].

    Returns:
        L numbers in 0..1, of the prefixes of length 1 to L.
    """
    return np.logical_and.accumulate(first == second, axis=1).mean(axis=0).tolist()


def pair_agreement(
    first: np.ndarray, second: np.ndarray, pairs: int = 1_000_000, seed: int = 0
) -> list[float]:
    """Share of the pairs of items with a common prefix in the first that have one in the second.

    Args:
        first: int [N, L].
        second: int [N, L].
        pairs: Random pairs sharing a prefix that are looked at, at most, for each length.
        seed: Of the choice.

    Returns:
        L numbers in 0..1, of the prefixes of length 1 to L; NaN where no two items share one.
    """
    rng = np.random.default_rng(seed)
    shares = []
    for length in range(1, first.shape[1] + 1):
        group, other = _groups(first[:, :length]), _groups(second[:, :length])
        members = np.argsort(group, kind="stable")
        sizes = np.bincount(group)
        starts = np.cumsum(sizes) - sizes
        position = np.empty(len(group), np.int64)
        position[members] = np.arange(len(group)) - np.repeat(starts, sizes)
        # In proportion to its pairs, so that every pair counts alike.
        weight = (sizes[group] - 1).astype(np.float64)
        if not weight.any():
            shares.append(float("nan"))
            continue
        one = rng.choice(len(group), pairs, p=weight / weight.sum())
        size = sizes[group[one]]
        two = members[starts[group[one]] + (position[one] + rng.integers(1, size)) % size]
        shares.append(float((other[one] == other[two]).mean()))
    return shares


def mutual_information(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Mutual information of two clusterings of the same items.

    Args:
        first: int [N], cluster of each item.
        second: int [N].

    Returns:
        `nats`, and `normalized` by the mean of the two entropies: 1 for equal partitions, whatever
        the clusters are called.
    """
    return {
        "nats": float(mutual_info_score(first, second)),
        "normalized": float(normalized_mutual_info_score(first, second)),
    }


def _groups(prefixes: np.ndarray) -> np.ndarray:
    return np.unique(prefixes, axis=0, return_inverse=True)[1].reshape(-1)
