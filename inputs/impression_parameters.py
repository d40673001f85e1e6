"""Parameters of ImpressionGen."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ImpressionParameters:
    """Columns of the impressions and the split by time.

    Attributes:
        user_id: Column of user ids; null where the user is not known.
        item_id: Column of ids of the impressed items.
        timestamp: Column of times.
        current_item_id: Column of ids of the items the users looked at; None: there is none.
        tasks: For each task its "name", its "label" (a column) and its "type", "binary" or
            "regression". A label may be null.
        context: Columns under "categorical" and under "numeric".
        evaluation_start: ISO 8601; impressions before it train, the others evaluate. UTC where it
            names no zone.
        skip_bad: Bad impressions that are put aside, at most.
    """

    user_id: str = "user_id"
    item_id: str = "item_id"
    timestamp: str = "timestamp"
    current_item_id: str | None = None
    tasks: Sequence[Mapping[str, Any]]
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    evaluation_start: str
    skip_bad: int = 0
