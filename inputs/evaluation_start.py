"""The split by time into a training and an evaluation period."""

import math
from datetime import datetime
from datetime import timezone
from fractions import Fraction

import numpy as np
import pyarrow as pa

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import columns
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.rejects import Reject
from semantic_id_ranking.inputs.rejects import require_at_most
from semantic_id_ranking.inputs.timestamps import from_microseconds

_BATCH_ROWS = 1 << 16


def impression_times(log: DataSet, timestamp_column: str, skip_bad: int = 0) -> np.ndarray:
    """The times of the impressions, but for bad ones.

    Args:
        log: The impressions.
        timestamp_column: Their column of timestamps.
        skip_bad: Bad times that are left out, at most.

    Returns:
        int64 microseconds since the epoch, one a good row; they are held in memory.

    Raises:
        InputError: The column is missing or wrong, or there are more bad times.
    """
    log.require(timestamp_column, uses.TIMES, "the time of the impression")
    now = datetime.now(timezone.utc)
    parts, rejects = [], []
    for block in log.blocks(log.rows):
        for path, row, batch in block.read({"time": (timestamp_column, uses.TIMES)}, _BATCH_ROWS):
            times, bad = columns.event_times(batch.column("time"), now)
            good = np.ones(len(times), bool)
            good[list(bad)] = False
            parts.append(times.filter(pa.array(good)).to_numpy())
            rejects += [
                Reject(path, row + i, None, timestamp_column, *what) for i, what in bad.items()
            ]
            require_at_most(rejects, skip_bad, "impressions")
    return np.concatenate(parts)


def evaluation_start(times: np.ndarray, fraction: float) -> datetime:
    """The time from which on impressions evaluate: the newest `fraction` of the log.

    It is exactly the timestamp at position floor((1 - fraction) * n) of the n impressions in the
    order of time. Impressions at that very time all evaluate, so ties make the evaluation split
    larger, never smaller.

    Args:
        times: int64 [n], microseconds since the epoch, as `impression_times` gives them.
        fraction: Share of the impressions that evaluates, in (0, 1).

    Returns:
        A datetime in UTC.

    Raises:
        ValueError: `fraction` is not between 0 and 1.

    Example:
        Ten impressions, one a day from the 1st on: fraction 0.2 gives the 9th.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is {fraction}, expected a number between 0 and 1.")
    # As a decimal, not as a binary float: (1 - 0.9) * 10 is a little less than 1, its floor is 0.
    position = math.floor((1 - Fraction(str(fraction))) * len(times))
    return from_microseconds(np.partition(times, position)[position])


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
