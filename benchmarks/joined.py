"""The feature join in memory: with item indices instead of Semantic IDs."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from benchmarks.data_set import DataSet
from semantic_id_ranking.components.feature_joiner.history import known_before
from semantic_id_ranking.components.feature_joiner.history import recent
from semantic_id_ranking.components.feature_joiner.popularity import bounds
from semantic_id_ranking.components.feature_joiner.popularity import SLICES
from semantic_id_ranking.pipeline.config import Config

_DAY = 86_400_000_000


@dataclasses.dataclass(frozen=True)
class Joined:
    """Impressions with the items that the ranker sees, the same in every SID space.

    An item is its row in the table of N items; row N stands for no item.

    Attributes:
        candidate: int32 [M].
        current: int32 [M].
        history: int32 [M, H], what the configuration makes the user's history at the impression,
            the most recent first, then row N.
        history_length: float32 [M].
        user: int64 [M].
        evaluation: bool [M].
        labels: Task name to float32 [M].
        context: Context column to [M], as in `Impressions`.
        item_age: float64 [M], days from the candidate's creation to the impression, 0 or more.
        slices: Slice name to bool [M], by the popularity of items in the training period.
        popularity: [N] object (bytes), slice of each item.
    """

    candidate: np.ndarray
    current: np.ndarray
    history: np.ndarray
    history_length: np.ndarray
    user: np.ndarray
    evaluation: np.ndarray
    labels: Mapping[str, np.ndarray]
    context: Mapping[str, np.ndarray]
    item_age: np.ndarray
    slices: Mapping[str, np.ndarray]
    popularity: np.ndarray


def join(data: DataSet) -> Joined:
    """Joins a whole data set with what FeatureJoiner is made of.

    Args:
        data: The data set; its configuration says how long histories are, what is positive and
            where the slices begin.
    """
    impressions, config = data.impressions, data.config
    items = len(data.items.ids)
    history, lengths = _history(data)
    counts = data.item_counts()
    popularity = _popularity(counts, config)
    candidate_popularity = popularity[impressions.item]
    age = np.maximum(impressions.timestamp - data.items.created_at[impressions.item], 0) / _DAY
    return Joined(
        candidate=impressions.item.astype(np.int32),
        current=np.where(impressions.current < 0, items, impressions.current).astype(np.int32),
        history=history,
        history_length=lengths.astype(np.float32),
        user=impressions.user,
        evaluation=impressions.evaluation,
        labels=impressions.labels,
        context=impressions.context,
        item_age=age,
        slices={
            "all": np.ones(len(impressions), bool),
            "new": age <= config.slices.new_days,
            "unseen": counts[impressions.item] == 0,
            **{name: candidate_popularity == name.encode() for name in ("head", "torso", "tail")},
        },
        popularity=popularity,
    )


def _popularity(counts: np.ndarray, config: Config) -> np.ndarray:
    """Slices [N] object (bytes) of items of so many training impressions."""
    values, items = np.unique(counts, return_counts=True)
    head, torso = bounds(values, items, config.slices.head_share, config.slices.torso_share)
    kind = np.where(counts >= head, 0, np.where(counts >= torso, 1, 2))
    return np.array(SLICES, object)[kind]


def _history(data: DataSet) -> tuple[np.ndarray, np.ndarray]:
    """Items int32 [M, H] and their number int64 [M]."""
    impressions, config = data.impressions, data.config
    task = None if config.history.labelled else config.positive_task
    # Of events at one instant the one with the greater item id comes first.
    rank = np.argsort(np.argsort(data.items.ids))
    order = np.lexsort((rank[impressions.item], impressions.timestamp, impressions.user))
    user, time = impressions.user[order], impressions.timestamp[order]
    makes = np.ones(len(order), bool) if task is None else impressions.labels[task.name][order] == 1
    by_event = config.context.counters_as_of == "event"
    moment = time if by_event else time // config.days.microseconds
    first, end = known_before(np.zeros(user.max() + 1, np.int64), user, moment, makes)
    offsets, events = recent(first, end, config.history.length)
    lengths = np.diff(offsets)
    history = np.full((len(order), config.history.length), len(data.items.ids), np.int32)
    # Row by row, as the events are.
    history[np.arange(config.history.length) < lengths[:, None]] = impressions.item[
        order[makes][events]
    ]
    back = np.argsort(order)
    return history[back], lengths[back]
