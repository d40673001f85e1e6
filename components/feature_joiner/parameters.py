"""Parameters of FeatureJoiner."""

import dataclasses
from typing import Any

from semantic_id_ranking.components.feature_joiner.days import Days
from semantic_id_ranking.contracts.counters import CounterLayout


@dataclasses.dataclass(frozen=True)
class JoinParameters:
    """Parameters of FeatureJoiner.

    Attributes:
        labels: Task name -> label column.
        regressions: Names of the tasks among `labels` that are regressions.
        positive: Label column whose 1 puts an item into the history; None takes every impression.
        categorical: Categorical context columns.
        numeric: Numeric context columns.
        history_length: H.
        new_days: Age up to which an item is new, in days.
        head_share: See `popularity.bounds`.
        torso_share: See `popularity.bounds`.
        max_unknown_fraction: Share of impressions of unknown items above which the join fails.
        shards: Groups of items, and of users, joined one after the other; at least as many as the
            earlier state has.
        item_column: Name of the impressions' item column, for messages.
        impressions: Name of the impressions' file, for messages.
        item_fields: What is read of an item beside its id: `sid`, `embedding`.
        current_item: Whether the impressions have a current item.
        item_age: Whether the candidate's age at the impression is attached.
        history_labels: Whether the labels of the history's impressions are attached.
        counters: Whether counters of items and users are attached.
        by_event: Whether history and counters know what is strictly before the impression; else,
            what is before its day.
        day_length: Microseconds.
        half_life: Of the recent counters, microseconds.
        join_late: Whether impressions of days that the state has in it are joined; else they are
            left out.
        evaluation_period: Whether the evaluation split is one period, at whose start its items have
            their popularity; else it goes by days, as the training split does.
        other_space: Whether the earlier state may be of another SID space; its counters by codes
            are left out then.
    """

    labels: dict[str, str]
    regressions: tuple[str, ...]
    positive: str | None
    categorical: tuple[str, ...]
    numeric: tuple[str, ...]
    history_length: int
    new_days: float
    head_share: float
    torso_share: float
    max_unknown_fraction: float
    shards: int
    item_column: str
    impressions: str
    item_fields: tuple[str, ...] = ("sid",)
    current_item: bool = True
    item_age: bool = False
    history_labels: bool = False
    counters: bool = False
    by_event: bool = False
    day_length: int = 86_400_000_000
    half_life: float = 7 * 86_400_000_000.0
    join_late: bool = False
    evaluation_period: bool = True
    other_space: bool = False

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "JoinParameters":
        """Reads what `dataclasses.asdict` wrote, after a way through JSON."""
        names = ("regressions", "categorical", "numeric", "item_fields")
        fixed = {name: tuple(values[name]) for name in names if name in values}
        return cls(**{**values, **fixed})

    @property
    def days(self) -> Days:
        """The days, and how counts fade."""
        return Days(self.day_length, self.half_life)

    @property
    def counter_layout(self) -> CounterLayout:
        """What is counted."""
        return CounterLayout(tuple(task for task in self.labels if task not in self.regressions))

    @property
    def embeddings(self) -> bool:
        """Whether content embeddings are joined."""
        return "embedding" in self.item_fields
