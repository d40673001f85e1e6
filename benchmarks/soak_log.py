"""A made-up log by days, in which users click what is of their topic, and items keep coming."""

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_DAY = 86_400_000_000
#: 2024-03-01, UTC, in days since 1970.
_FIRST_DAY = 19_783
_ITEMS = 480
_USERS = 60
_TOPICS = 4
_WIDTH = 12
#: Share of the items that are there from the start.
_OLD = 0.7


class SoakLog:
    """Items and impressions.

    Args:
        folder: Where files go.
        days: Days in all.
        impressions: Impressions of a day.

    Attributes:
        item_ids: All items.
        embeddings: float32 [N, 12], theirs.
        is_old: bool [N], whether an item is there from the start.
        users: All users.
    """

    def __init__(self, folder: pathlib.Path, days: int, impressions: int):
        self._folder, self._days, self._impressions = folder, days, impressions
        rng = np.random.default_rng(0)
        self._topic = rng.integers(_TOPICS, size=_ITEMS)
        centres = rng.normal(size=(_TOPICS, _WIDTH))
        noise = 0.3 * rng.normal(size=(_ITEMS, _WIDTH))
        self.embeddings = (centres[self._topic] + noise).astype(np.float32)
        self.is_old = rng.random(_ITEMS) < _OLD
        self._created = np.where(self.is_old, 0, rng.integers(days * _DAY, size=_ITEMS))
        self._taste = rng.integers(_TOPICS, size=_USERS)
        self.item_ids = [f"item{number}" for number in range(_ITEMS)]
        self.users = [f"user{number}" for number in range(_USERS)]

    def items(self, end: int) -> str:
        """Writes the items that are there before day `end` begins; returns the path."""
        known = np.flatnonzero(self._created < end * _DAY)
        table = {
            "item_id": [self.item_ids[row] for row in known],
            "created_at": _times(self._created[known]),
            "embedding": pa.array(list(self.embeddings[known]), pa.list_(pa.float32())),
        }
        return self._write(table, f"items-{end}.parquet")

    def impressions(self, begin: int, end: int) -> str:
        """Writes the impressions of days begin, begin + 1, ..., end - 1; returns the path."""
        parts = [self._of_day(day) for day in range(begin, end)]
        table = {
            name: pa.concat_arrays([part[name] for part in parts])
            for name in ("user_id", "item_id", "timestamp", "click")
        }
        return self._write(table, f"impressions-{begin}-{end}.parquet")

    def _of_day(self, day: int) -> dict[str, pa.Array]:
        rng = np.random.default_rng([1, day])
        count = self._impressions
        times = day * _DAY + np.sort(rng.integers(_DAY, size=count))
        user = rng.integers(_USERS, size=count)
        item = np.array([rng.choice(np.flatnonzero(self._created <= time)) for time in times])
        likes = self._topic[item] == self._taste[user]
        click = rng.random(count) < np.where(likes, 0.8, 0.05)
        return {
            "user_id": pa.array([self.users[row] for row in user]),
            "item_id": pa.array([self.item_ids[row] for row in item]),
            "timestamp": _times(times),
            "click": pa.array(click.astype(np.int8)),
        }

    def _write(self, table: dict[str, pa.Array], name: str) -> str:
        path = self._folder / name
        pq.write_table(pa.table(table), path)
        return str(path)


def _times(microseconds: np.ndarray) -> pa.Array:
    return pa.array(_FIRST_DAY * _DAY + microseconds).cast(pa.timestamp("us", "UTC"))
