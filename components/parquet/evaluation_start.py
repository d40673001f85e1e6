"""The split by time: everything before one point trains, everything from it on evaluates."""

import math
from datetime import datetime
from datetime import timezone
from fractions import Fraction

import numpy as np

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet.place import Place
from semantic_id_ranking.components.parquet.row_group import list_files
from semantic_id_ranking.components.parquet.row_group import read_schema
from semantic_id_ranking.components.parquet.row_group import row_groups
from semantic_id_ranking.components.parquet.timestamps import from_microseconds
from semantic_id_ranking.components.parquet.timestamps import require
from semantic_id_ranking.components.parquet.timestamps import timestamps


def evaluation_start(impressions_path: str, timestamp_column: str, fraction: float) -> datetime:
    """The time from which on impressions evaluate: the newest `fraction` of the log.

    It is exactly the timestamp at position floor((1 - fraction) * n) of the n impressions in the
    order of time. Impressions at that very time all evaluate, so ties make the evaluation split
    larger, never smaller. Eight bytes an impression are held in memory.

    Args:
        impressions_path: The impressions, a path or a glob pattern.
        timestamp_column: Their column of timestamps.
        fraction: Share of the impressions that evaluates, in (0, 1).

    Returns:
        A datetime in UTC.

    Raises:
        ValueError: `fraction` is not between 0 and 1.
        InputError: The file or column is missing or wrong, or no impression is older than the
            start.

    Example:
        Ten impressions, one a day from the 1st on: fraction 0.2 gives the 9th.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is {fraction}, expected a number between 0 and 1.")
    now = datetime.now(timezone.utc)
    files = list_files(impressions_path)
    for path in files:
        read_schema(path, {timestamp_column: "the time of the impression"})
    parts = []
    for group in row_groups(files):
        for row, batch in group.read([timestamp_column]):
            place = Place(group.path, timestamp_column, row)
            times = require(timestamps(batch.column(timestamp_column), place, now), place)
            parts.append(times.to_numpy())
    times = np.concatenate(parts)
    # As a decimal, not as a binary float: (1 - 0.9) * 10 is a little less than 1, its floor is 0.
    position = math.floor((1 - Fraction(str(fraction))) * len(times))
    start = np.partition(times, position)[position]
    check_training(times.min(), start, impressions_path, timestamp_column)
    return from_microseconds(start)


def check_training(first: int, start: int, path: str, column: str) -> None:
    """Refuses a split by time that leaves nothing to train on.

    Args:
        first: Time of the earliest row, microseconds since the epoch.
        start: Time from which on rows evaluate.
        path: The file, for the message.
        column: Its column of times, for the message.

    Raises:
        InputError: The training split is empty.
    """
    if first >= start:
        raise InputError(
            f"{path}: column {column!r}: the training split is empty, as the evaluation starts at "
            f"{_iso(start)} and the earliest time is {_iso(first)}; expected a later start."
        )


def check_evaluation(last: int, start: int, path: str, column: str) -> None:
    """Refuses a split by time that leaves nothing to evaluate.

    Args:
        last: Time of the latest row, microseconds since the epoch.
        start: Time from which on rows evaluate.
        path: The file, for the message.
        column: Its column of times, for the message.

    Raises:
        InputError: The evaluation split is empty.
    """
    if last < start:
        raise InputError(
            f"{path}: column {column!r}: the evaluation split is empty, as the evaluation starts "
            f"at {_iso(start)} and the latest time is {_iso(last)}; expected an earlier start."
        )


def _iso(microseconds: int) -> str:
    return from_microseconds(microseconds).isoformat()
