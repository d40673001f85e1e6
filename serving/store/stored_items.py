"""The Semantic IDs and counters of a request's items."""

import dataclasses
from typing import Any

from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class StoredItems:
    """Of N items, in the order that they were asked for in.

    Attributes:
        sids: int32 [N, L]; codes -1 where the store has no Semantic ID.
        counters: float32 [N, C]; NaN where it has no counters.
    """

    sids: NDArray[Any]
    counters: NDArray[Any]
