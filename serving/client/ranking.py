"""A ranked list."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Literal

from numpy.typing import NDArray

from semantic_id_ranking.serving.store import StoreError

Source = Literal["store", "encoded", "unknown"]
"""Source of an item's Semantic ID: the store, its embedding, encoded for this call, or
nowhere (codes -1 stand for it: it is scored as an item of which nothing is known)."""


OnStoreError = Literal["raise", "unknown"]
"""What becomes of a ranking whose store does not answer: the error, or a ranking of items of which
the store knows nothing."""


SortBy = str | Mapping[str, float] | None
"""Sort key of candidates: the score of a task, or the sum of the scores of several, each
times its weight; None stands for the only task of a ranker that has one."""


@dataclasses.dataclass(frozen=True)
class TopCandidates:
    """The best of a request's candidates, best first; equals stay in the order of the request.

    Attributes:
        index: int32 [k], their positions in the request.
        scores: float32 [k] of each task.
    """

    index: NDArray[Any]
    scores: Mapping[str, NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class RankedItem:
    """One row of a ranked list.

    Attributes:
        item_id: The item.
        scores: Score of each task: probabilities of binary tasks, values of others.
        source: Where its Semantic ID comes from; None where the ranker does not ask for it.
    """

    item_id: str
    scores: Mapping[str, float]
    source: Source | None


@dataclasses.dataclass(frozen=True)
class Ranking:
    """A ranked list, and what it was made from.

    Attributes:
        items: A row for each candidate, or for the best of them, best first; candidates of the
            same score stay in the order of the request.
        sid_counts: Source -> how many of the request's items (candidates, current item and
            history, each once) have their Semantic ID from there; empty where the ranker does not
            ask for it.
        version: The ranker's version.
        store_error: What kept the store from being read, where `on_store_error` is "unknown"; None
            where nothing did.
    """

    items: Sequence[RankedItem]
    sid_counts: Mapping[Source, int]
    version: int
    store_error: StoreError | None = None
