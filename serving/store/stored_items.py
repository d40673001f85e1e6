"""The Semantic IDs and counters of a request's items, and the record of its user."""

import dataclasses
from typing import Any

from numpy.typing import NDArray

from semantic_id_ranking.serving.store.stored_moment import StoredMoment
from semantic_id_ranking.serving.store.user_record import UserRecord


@dataclasses.dataclass(frozen=True)
class StoredItems:
    """Of N items, in the order that they were asked for in.

    Attributes:
        sids: int32 [N, L]; codes -1 where the store has no Semantic ID.
        counters: float32 [N, C]; NaN where it has no counters, or another number of them.
        counted: bool [N], whether it has any.
        user: The record of the user who was asked for; None where the store has none.
        moment: What the last release of counters was; None: there was none into this space.
    """

    sids: NDArray[Any]
    counters: NDArray[Any]
    counted: NDArray[Any]
    user: UserRecord | None = None
    moment: StoredMoment | None = None
