"""The columns of a day that are compared with those of the day before it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Compared:
    """What is compared of two days.

    Attributes:
        source: The file of the day's impressions, for messages.
        earlier_day: Name of the day that it is compared with.
        earlier_is_log: Whether that is the log of `sid run`, of many days: its evaluation period,
            which is its end, then stands for it, and no numbers of impressions are compared.
        labels: Columns of the binary labels.
        categorical: Categorical columns.
        numeric: Numeric columns, and those of the regression labels.
        columns: Feature `item_id` and `user_id` -> the column.
    """

    source: str
    earlier_day: str
    earlier_is_log: bool
    labels: tuple[str, ...]
    categorical: tuple[str, ...]
    numeric: tuple[str, ...]
    columns: dict[str, str]
