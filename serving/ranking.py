"""From item ids to a ranked list."""

import dataclasses
from collections import ChainMap
from collections.abc import Mapping
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any
from typing import Literal

import numpy as np

from serving.client import EncoderClient
from serving.client import RankerClient
from serving.client import SidSpaceMismatchError

Source = Literal["store", "encoded", "unknown"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclasses.dataclass(frozen=True)
class RankedItem:
    """One row of a ranked list.

    Attributes:
        item_id: The item.
        title: Its title, or None where none is known.
        scores: Score of each task.
        source: Where its Semantic ID comes from: "store", "encoded" from its embedding for this
            call, or "unknown" (it is scored as an item of which nothing is known).
    """

    item_id: str
    title: str | None
    scores: Mapping[str, float]
    source: Source


def rank_items(
    ranker: RankerClient,
    item_ids: Sequence[str],
    sids: Mapping[str, Sequence[int]],
    *,
    embeddings: Mapping[str, np.ndarray] = _NOTHING,
    encoder: EncoderClient | None = None,
    titles: Mapping[str, str] = _NOTHING,
    current: str | None = None,
    history: Sequence[str] = (),
    context: Mapping[str, Any] = _NOTHING,
    task: str | None = None,
) -> list[RankedItem]:
    """Ranks items for one user.

    An item's Semantic ID is taken from `sids`; where it is not there, its embedding is encoded (one
    request for all, history and current item included); where there is none either, the item is
    unknown.

    Args:
        ranker: Scores them.
        item_ids: The candidates.
        sids: Semantic IDs that are known, L codes each, of the ranker's SID space.
        embeddings: Content embeddings [D] of items that may be without one.
        encoder: Encodes them; without it, nothing is encoded.
        titles: Titles that are known.
        current: The item the user looks at.
        history: The user's past items, most recent first.
        context: Context columns: one value, or one for each candidate.
        task: The task whose score sorts; may be left out if the ranker has one task.

    Returns:
        A row for each candidate, best first; candidates of the same score stay in their order.

    Raises:
        SidSpaceMismatchError: Encoder and ranker live in different SID spaces.
        ValueError: The ranker has several tasks and `task` names none of them, or what
            `RankerClient.rank` raises.
    """
    if not item_ids:
        return []
    wanted = [*item_ids, *history, *([] if current is None else [current])]
    encoded: dict[str, Sequence[int]] = {}
    if encoder is not None and "sid" in ranker.item_fields:
        new = [item for item in dict.fromkeys(wanted) if item not in sids and item in embeddings]
        encoded = _encode(ranker, encoder, {item: embeddings[item] for item in new})
    known = ChainMap(encoded, sids)
    absent = [-1] * ranker.space.levels

    def fields(items: Sequence[str]) -> dict[str, list]:
        return {"item_id": list(items), "sid": [known.get(item, absent) for item in items]}

    scores = ranker.rank(
        candidate=fields(item_ids),
        current=None if current is None else fields([current]),
        history=fields(history),
        context=context,
    )
    rows = [
        RankedItem(
            item_id=item,
            title=titles.get(item),
            scores={name: float(values[row]) for name, values in scores.items()},
            source="encoded" if item in encoded else "store" if item in sids else "unknown",
        )
        for row, item in enumerate(item_ids)
    ]
    by = _sorting_task(task, scores)
    return sorted(rows, key=lambda row: row.scores[by], reverse=True)


def _encode(
    ranker: RankerClient, encoder: EncoderClient, embeddings: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    if not embeddings:
        return {}
    if encoder.space.fingerprint != ranker.space.fingerprint:
        raise SidSpaceMismatchError(
            f"model {encoder.model} lives in SID space {encoder.space.fingerprint}, "
            f"but model {ranker.model} in {ranker.space.fingerprint}; serve both of one run"
        )
    codes = encoder.encode(np.stack(list(embeddings.values())))
    return dict(zip(embeddings, codes, strict=True))


def _sorting_task(task: str | None, scores: Mapping[str, np.ndarray]) -> str:
    if task is None and len(scores) == 1:
        return next(iter(scores))
    if task not in scores:
        raise ValueError(
            f"task is {task!r}; the ranker's tasks to sort by are {', '.join(sorted(scores))}"
        )
    return task
