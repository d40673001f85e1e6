"""The feature join in memory: with item indices instead of Semantic IDs."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from benchmarks.data_set import DataSet
from benchmarks.data_set import Impressions
from semantic_id_ranking.components.feature_joiner.history import recent_before
from semantic_id_ranking.components.feature_joiner.popularity import popularity_slices
from semantic_id_ranking.pipeline.config import Config

_DAY = 86_400_000_000


@dataclasses.dataclass(frozen=True)
class Joined:
    """Impressions with the items that the ranker sees, the same in every SID space.

    An item is its row in the table of N items; row N stands for no item.

    Attributes:
        candidate: int32 [M].
        current: int32 [M].
        history: int32 [M, H], the user's positives strictly before the impression, the most recent
            first, then row N.
        history_length: float32 [M].
        user: int64 [M].
        evaluation: bool [M].
        labels: Task name to float32 [M].
        context: Context column to [M], as in `Impressions`.
        item_age: float64 [M], days from the candidate's creation to the impression, 0 or more.
        slices: Slice name to bool [M].
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
    history, lengths = _history(impressions, config, absent=items)
    counts = data.item_counts()
    popularity = popularity_slices(counts, config.slices.head_share, config.slices.torso_share)
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


def _history(
    impressions: Impressions, config: Config, absent: int
) -> tuple[np.ndarray, np.ndarray]:
    """Items int32 [M, H] and their number int64 [M]."""
    task = config.positive_task
    positive = (
        np.arange(len(impressions))
        if task is None
        else np.flatnonzero(impressions.labels[task.name] == 1)
    )
    offsets, events = recent_before(
        impressions.user,
        impressions.timestamp,
        impressions.user[positive],
        impressions.timestamp[positive],
        config.history.length,
    )
    lengths = np.diff(offsets)
    history = np.full((len(impressions), config.history.length), absent, np.int32)
    # Row by row, as the events are.
    history[np.arange(config.history.length) < lengths[:, None]] = impressions.item[
        positive[events]
    ]
    return history, lengths
