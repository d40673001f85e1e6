"""A/A test: the same items twice, under different raw IDs."""

import dataclasses

import numpy as np

from benchmarks.data_set import DataSet


def with_copies(data: DataSet, seed: int = 0) -> DataSet:
    """Gives every item a twin of the same content and other raw ID, and it half the impressions.

    Args:
        data: N items.
        seed: Of the choice of impressions.

    Returns:
        2N items; item N + i is the copy of item i.

    Reference: "Semantic IDs for stability" experiments of arXiv 2504.02137.
    """
    items, impressions = data.items, data.impressions
    count = len(items.ids)
    rng = np.random.default_rng(seed)

    def either(item: np.ndarray) -> np.ndarray:
        return np.where(item < 0, item, item + count * rng.integers(0, 2, len(item)))

    ids = [item + suffix for suffix in (b"#0", b"#1") for item in items.ids]
    return dataclasses.replace(
        data,
        items=dataclasses.replace(
            items,
            ids=np.array(ids, object),
            embeddings=np.concatenate([items.embeddings, items.embeddings]),
            created_at=np.concatenate([items.created_at, items.created_at]),
        ),
        impressions=dataclasses.replace(
            impressions,
            item=either(impressions.item),
            current=either(impressions.current),
        ),
    )


def other_copy(item: np.ndarray, count: int) -> np.ndarray:
    """The twins of items.

    Args:
        item: int [n], rows of 2 x `count` items.
        count: Number of items before they were copied (N).

    Returns:
        Of the same dtype.
    """
    return ((item + count) % (2 * count)).astype(item.dtype)


def relative_difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """|a - b| over the mean of a and b, of predictions [n] above 0."""
    return np.abs(first - second) / ((first + second) / 2)
