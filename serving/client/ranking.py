"""A ranked list."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Literal

Source = Literal["store", "encoded", "unknown"]
"""Where an item's Semantic ID comes from: the store, its embedding, encoded for this call, or
nowhere (codes -1 stand for it: it is scored as an item of which nothing is known)."""


@dataclasses.dataclass(frozen=True)
class RankedItem:
    """One row of a ranked list.

    Attributes:
        item_id: The item.
        scores: Score of each task: probabilities of binary tasks, values of others.
        source: Where its Semantic ID comes from; None where the ranker sees items by their ids.
    """

    item_id: str
    scores: Mapping[str, float]
    source: Source | None


@dataclasses.dataclass(frozen=True)
class Ranking:
    """A ranked list, and what it was made from.

    Attributes:
        items: A row for each candidate, best first; candidates of the same score stay in the
            order of the request.
        sid_counts: Source -> how many of the request's items (candidates, current item and
            history, each once) have their Semantic ID from there; empty where the ranker sees items
            by their ids.
        version: The ranker's version.
    """

    items: Sequence[RankedItem]
    sid_counts: Mapping[Source, int]
    version: int
