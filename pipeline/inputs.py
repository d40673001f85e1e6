"""The two inputs of a run."""

import dataclasses
import datetime

from semantic_id_ranking.inputs.data_set import DataSet


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Inputs that can be read, with their optional columns and the split by time resolved.

    Attributes:
        items: The items.
        impressions: The impressions.
        first_time: Of the impressions, microseconds since 1970.
        last_time: The same.
        evaluation_start: First instant of the evaluation period, UTC.
        has_current_item: Whether the impressions have a column of current items.
        items_need_impressions: Whether items lack a creation time, for which their first impression
            stands.
        skip_bad: Bad impressions that are put aside, at most.
        notes: Sentences on what people should know of the inputs.
    """

    items: DataSet
    impressions: DataSet
    first_time: int
    last_time: int
    evaluation_start: datetime.datetime
    has_current_item: bool
    items_need_impressions: bool
    skip_bad: int
    notes: tuple[str, ...]
