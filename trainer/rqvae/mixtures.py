"""Mixtures of items, which stand for items that do not exist yet."""

import numpy as np


def draw_mixtures(
    items: int, count: int, parts: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws random mixtures.

    A mixture is the sum over its parts of sqrt(w) x, with weights w that sum to 1: the square roots
    keep the expected squared norm of centred items. Quantisers trained on the items alone spend
    codes on single items where there are few items a code, and so miss items they have not seen.

    Args:
        items: Number of items to draw from.
        count: Number of mixtures.
        parts: Items in each.
        rng: Source of randomness.

    Returns:
        Item numbers [count, parts] int32, and the factors sqrt(w) [count, parts] float32, with w
        uniform over the weights that sum to 1.

    Reference:
        mixup: Zhang et al., arXiv 1710.09412; the square roots are ours.
    """
    weights = rng.dirichlet(np.ones(parts), count).astype(np.float32)
    return rng.integers(0, items, (count, parts), dtype=np.int32), np.sqrt(weights)


def mix(items: np.ndarray, numbers: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Makes mixtures [count, D] of items [N, D] by what `draw_mixtures` drew."""
    result = factors[:, :1] * items[numbers[:, 0]]
    for part in range(1, numbers.shape[1]):
        result += factors[:, part : part + 1] * items[numbers[:, part]]
    return result
