"""The last dense weeks of MovieLens, which `sid demo --days` replays."""

import dataclasses
import os
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semantic_id_ranking.contracts.errors import InputError

#: Most weeks of the last years have fewer ratings than a metric needs; these are the last six
#: successive weeks of 150 or more, in October and November 2015.
WEEKS = 6
LEAST_RATINGS = 150
DAYS_A_WEEK = 7
_WEEK = DAYS_A_WEEK * 86_400_000_000


@dataclasses.dataclass(frozen=True)
class Weeks:
    """The files of a replay.

    Attributes:
        log: Path of the ratings before the weeks.
        weeks: Path of the ratings of each week, oldest first.
    """

    log: str
    weeks: list[str]


def last_dense(counts: Mapping[int, int], length: int, least: int) -> int:
    """Finds the last successive weeks that all have enough ratings, with ratings before them.

    Args:
        counts: Number of a week -> its ratings.
        length: Number of weeks.
        least: Ratings that each of them needs.

    Returns:
        The number of the first of them.

    Raises:
        InputError: There are none.

    >>> last_dense({1: 9, 2: 7, 3: 8, 4: 1, 5: 9}, length=2, least=5)
    2
    """
    for first in sorted(counts, reverse=True):
        dense = all(counts.get(first + k, 0) >= least for k in range(length))
        if dense and first > min(counts):
            return first
    raise InputError(
        f"the ratings have no {length} successive weeks of at least {least} with ratings before "
        "them"
    )


def write_weeks(impressions: str, directory: str) -> Weeks:
    """Writes the log before the weeks, and each week; what is after them is left out.

    Args:
        impressions: Path of the ratings, with a `timestamp`.
        directory: Folder of the files, made if need be.
    """
    table = pq.ParquetFile(impressions).read()
    week = table["timestamp"].cast(pa.int64()).to_numpy() // _WEEK
    numbers, counts = np.unique(week, return_counts=True)
    by_week = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    first = last_dense(by_week, WEEKS, LEAST_RATINGS)
    os.makedirs(directory, exist_ok=True)

    def write(name: str, rows: np.ndarray) -> str:
        path = os.path.join(directory, f"{name}.parquet")
        pq.write_table(table.filter(pa.array(rows)), path)
        return path

    return Weeks(
        log=write("log", week < first),
        weeks=[write(f"week{k + 1}", week == first + k) for k in range(WEEKS)],
    )
