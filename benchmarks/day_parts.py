"""A log as days of about equal numbers of impressions, one part of it a day."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config

DAY = 86_400_000_000
#: The day that the first part becomes: 2019-04-14, UTC.
FIRST_DAY = 18_000


def part_bounds(times: np.ndarray, parts: int) -> np.ndarray:
    """Splits times into parts of about equal counts; equal times are in one part.

    Args:
        times: int64 [N], microseconds, in any order.
        parts: Number of parts.

    Returns:
        int64 [parts + 1]: part k is [bounds[k], bounds[k + 1]).

    Raises:
        InputError: There are too few different times.

    >>> part_bounds(np.array([1, 2, 2, 2, 5, 9]), 2).tolist()
    [1, 2, 10]
    """
    ordered = np.sort(times)
    starts = ordered[np.arange(parts) * len(ordered) // parts] if len(ordered) else ordered
    bounds = np.append(starts, ordered[-1:] + 1)
    if len(bounds) != parts + 1 or (np.diff(bounds) <= 0).any():
        raise InputError(
            f"the impressions' times do not divide into {parts} parts; expected fewer parts or "
            "more different times"
        )
    return bounds


def to_days(times: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Makes part k the day `FIRST_DAY + k`, in order, linearly within the part.

    Args:
        times: int64 [N], microseconds.
        bounds: int64 [P + 1], of `part_bounds`.

    Returns:
        int64 [N]: times in the new calendar. What is before the first part is at its start, and
        what is after the last part at its end.
    """
    inside = np.clip(times, bounds[0], bounds[-1] - 1)
    part = np.searchsorted(bounds, inside, "right") - 1
    # In floats: the product does not fit into 64 bits.
    share = (inside - bounds[part]) / (bounds[part + 1] - bounds[part])
    within = np.minimum((share * DAY).astype(np.int64), DAY - 1)
    return (FIRST_DAY + part) * DAY + within


def start_of(part: int) -> str:
    """The first instant of a part's day, ISO 8601."""
    return f"{np.datetime64((FIRST_DAY + part) * DAY, 'us')}+00:00"


class DayParts:
    """Items and impressions in the new calendar.

    Attributes:
        counts: int64 [P], impressions of each part.
    """

    def __init__(self, items: str, impressions: str, config: Config, parts: int):
        """Reads both files.

        Args:
            items: Parquet file.
            impressions: Parquet file.
            config: Names the columns.
            parts: Number of parts.

        Raises:
            InputError: See `part_bounds`.
        """
        columns = config.columns
        log = pq.ParquetFile(impressions).read()
        times = _microseconds(log[columns.timestamp])
        bounds = part_bounds(times, parts)
        mapped = to_days(times, bounds)
        self._part = mapped // DAY - FIRST_DAY
        self._log = _with_times(log, columns.timestamp, mapped)
        self._column = columns.timestamp
        self.counts = np.bincount(self._part, minlength=parts)

        self._items = pq.ParquetFile(items).read()
        ids = self._items[columns.item_id].cast(pa.large_string())
        position = pc.index_in(log[columns.item_id].cast(pa.large_string()), pc.unique(ids))
        known = pc.is_valid(position).to_numpy()
        # An item is there from its creation, or its first impression, whatever is first.
        first = np.full(len(ids), parts)
        rows = pc.fill_null(position, 0).to_numpy()
        np.minimum.at(first, rows[known], self._part[known])
        if columns.created_at in self._items.column_names:
            created = self._items[columns.created_at]
            filled = pc.fill_null(created.cast(pa.timestamp("us")).cast(pa.int64()), bounds[-1])
            new = to_days(filled.to_numpy(), bounds)
            self._items = _with_times(
                self._items, columns.created_at, new, pc.is_null(created).to_numpy()
            )
            late = filled.to_numpy() >= bounds[-1]
            first = np.minimum(first, np.where(late, parts, new // DAY - FIRST_DAY))
        self._first = first

    def write_impressions(self, path: str, begin: int, end: int) -> str:
        """Writes the impressions of parts begin, begin + 1, ..., end - 1; returns the path."""
        rows = (self._part >= begin) & (self._part < end)
        return _write(self._log.filter(pa.array(rows)), path)

    def write_last(self, path: str, count: int, day: int) -> str:
        """Writes the latest impressions as if they were of some day; returns the path.

        Args:
            path: The file.
            count: Impressions, at most.
            day: The part whose day they are to be of.
        """
        times = _microseconds(self._log[self._column])
        latest = np.sort(np.argsort(times, kind="stable")[-count:])
        moved = times[latest] % DAY + (FIRST_DAY + day) * DAY
        return _write(_with_times(self._log.take(pa.array(latest)), self._column, moved), path)

    def write_items(self, path: str, end: int) -> str:
        """Writes the items as of the end of part end - 1; returns the path."""
        return _write(self._items.filter(pa.array(self._first < end)), path)


def _microseconds(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()


def _with_times(
    table: pa.Table, name: str, times: np.ndarray, null: np.ndarray | None = None
) -> pa.Table:
    values = pa.array(times, mask=null).cast(pa.timestamp("us", "UTC"))
    return table.set_column(table.column_names.index(name), name, values)


def _write(table: pa.Table, path: str) -> str:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pq.write_table(table, path)
    return path
