"""Parameters of the feature join."""

import dataclasses
from typing import Any


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
        head_share: See `popularity_slices`.
        torso_share: See `popularity_slices`.
        max_unknown_fraction: Share of impressions of unknown items above which the join fails.
        shards: Groups of users, joined one after the other.
        item_column: Name of the impressions' item column, for messages.
        impressions: Name of the impressions' file, for messages.
        embeddings: Whether content embeddings are attached beside the Semantic IDs.
        item_age: Whether the candidate's age at the impression is attached.
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
    embeddings: bool = False
    item_age: bool = False

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "JoinParameters":
        """Reads what `dataclasses.asdict` wrote, after a round trip through JSON."""
        fixed = {name: tuple(values[name]) for name in ("regressions", "categorical", "numeric")}
        return cls(**{**values, **fixed})
