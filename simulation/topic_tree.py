"""Tree of topics, whose leaves items belong to."""

import math
from collections.abc import Sequence

import numpy as np

#: Children of the root, of each of these, and so on.
BRANCHES = (8, 6, 4)
#: Topics that have no further ones below them.
LEAVES = math.prod(BRANCHES)


def path_sums(
    rng: np.random.Generator,
    scales: Sequence[float],
    width: int,
    branches: Sequence[int] = BRANCHES,
) -> np.ndarray:
    """Draws a vector for each topic and adds them up from the root to each leaf.

    Leaves of one topic have a part of their sum in common.

    Args:
        rng: What draws.
        scales: Standard deviation of the entries at each level.
        width: Length of the vectors (w).
        branches: Children at each level.

    Returns:
        float64 [leaves, w].
    """
    leaves = math.prod(branches)
    sums = np.zeros((leaves, width))
    topics = 1
    for scale, children in zip(scales, branches, strict=True):
        topics *= children
        sums += np.repeat(scale * rng.normal(size=(topics, width)), leaves // topics, axis=0)
    return sums


def path_of(leaf: int, branches: Sequence[int] = BRANCHES) -> str:
    """The topics from the root to a leaf, in words.

    >>> path_of(0), path_of(1), path_of(4), path_of(191)
    ('0.0.0', '0.0.1', '0.1.0', '7.5.3')
    """
    numbers = []
    for children in reversed(branches):
        leaf, number = divmod(leaf, children)
        numbers.append(str(number))
    return ".".join(reversed(numbers))
