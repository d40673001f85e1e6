"""Context columns of the ranker."""

import dataclasses
from collections.abc import Mapping

HISTORY_LENGTH = "history_length"

ITEM_AGE_COLUMN = "item_age_days"
"""Column of the candidate's age at the impression, in days: it is computed, the input has none."""


@dataclasses.dataclass(frozen=True)
class ContextSpec:
    """Context features as the model takes them, that is, after Transform.

    Attributes:
        categorical: Feature name to the number of its vocabulary IDs, the out-of-vocabulary one
            included.
        numeric: Names of the standardised numbers.
        counters: Name of each feature made of counters to the standardised numbers in it.
    """

    categorical: Mapping[str, int] = dataclasses.field(default_factory=dict)
    numeric: tuple[str, ...] = (HISTORY_LENGTH,)
    counters: Mapping[str, int] = dataclasses.field(default_factory=dict)
