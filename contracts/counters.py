"""Counters of impressions and labels: names, order and widths, in examples and in requests."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The first codes of a Semantic ID by which a user's counters are kept.
COUNTED_CODES = 2

ITEM_COUNTERS = "item_counters"
USER_COUNTERS = "user_counters"
USER_CODE_COUNTERS = "user_code_counters"
#: The context columns that hold counters; no column of the input may have such a name.
COUNTER_COLUMNS = (ITEM_COUNTERS, USER_COUNTERS, USER_CODE_COUNTERS)
#: Labels of the mean rate that every key has beside its own (m): at so many, both count alike.
PRIOR_LABELS = 10.0


@dataclasses.dataclass(frozen=True)
class CounterLayout:
    """What the numbers of a vector of counters are.

    A *block* counts one key: its impressions, then of each binary task the impressions with a label
    and the positives. A context column of counters is one block or two.

    >>> layout = CounterLayout(("click", "like"))
    >>> layout.block
    ('impressions', 'labels_click', 'positives_click', 'labels_like', 'positives_like')
    >>> layout.blocks
    {'item_counters': 2, 'user_counters': 1, 'user_code_counters': 2}
    >>> layout.widths
    {'item_counters': 10, 'user_counters': 5, 'user_code_counters': 10}

    Attributes:
        tasks: The binary tasks, T of them, in the order of the configuration.
    """

    tasks: tuple[str, ...]

    @property
    def block(self) -> tuple[str, ...]:
        """Names of the 1 + 2T counters of a key."""
        of_tasks = (f"{kind}_{task}" for task in self.tasks for kind in ("labels", "positives"))
        return ("impressions", *of_tasks)

    @property
    def blocks(self) -> dict[str, int]:
        """Blocks in each context column of counters.

        Of the item: a block of all time, then a recent (decayed) one. Of the user: a block. Of the
        user's impressions of items that begin like the candidate: a block for the first code of its
        Semantic ID, then one for the first two.
        """
        return {ITEM_COUNTERS: 2, USER_COUNTERS: 1, USER_CODE_COUNTERS: 2}

    @property
    def widths(self) -> dict[str, int]:
        """Numbers in each context column of counters."""
        return {column: blocks * len(self.block) for column, blocks in self.blocks.items()}


def counters_by_codes(
    sids: NDArray[Any], codes: NDArray[Any], by_codes: NDArray[Any]
) -> NDArray[Any]:
    """A user's counters of items that begin like candidates: the column `user_code_counters`.

    >>> counters_by_codes(np.array([[3, 1, 4], [-1, -1, -1]]), np.array([[3, 1], [3, 2]]),
    ...                   np.array([[5, 5, 1], [2, 0, 0]])).tolist()
    [[7.0, 5.0, 1.0, 5.0, 5.0, 1.0], [nan, nan, nan, nan, nan, nan]]

    Args:
        sids: [N, L] Semantic IDs of the candidates; codes -1 where there is none.
        codes: [m, 2] first two codes; a 0 stands behind an only one.
        by_codes: [m, C] integers, the user's counters by them.

    Returns:
        float32 [N, 2C]: by the first code, then by the first two; NaN without a Semantic ID.
    """
    first = sids[:, :COUNTED_CODES]
    first = np.pad(first, [(0, 0), (0, COUNTED_CODES - first.shape[1])])
    alike = (first[:, None] == codes).astype(np.int64)
    sums = [alike[..., 0] @ by_codes, alike.prod(axis=2) @ by_codes]
    result: NDArray[Any] = np.concatenate(sums, axis=1).astype(np.float32)
    result[sids[:, 0] < 0] = np.nan
    return result
