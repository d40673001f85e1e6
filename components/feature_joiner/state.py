"""The state of users and items: its files, and whether an earlier one may be continued."""

import dataclasses
import datetime
import json
import math
import os
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow_hotfix  # noqa: F401  CVE-2023-47248
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.components.feature_joiner.item_counters import ItemCounters
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.label_means import Totals
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.contracts.errors import InputError

#: What of a state only the code that wrote it can read.
LAYOUT = 2

_STATE = "state.json"
_ITEMS = "items.parquet"
_SPACE = "sid_space"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def user_file(number: int, groups: int) -> str:
    """Name of the file of a group of users."""
    return f"users-{number:05d}-of-{groups:05d}.parquet"


def terms(parameters: JoinParameters, space: str) -> dict[str, Any]:
    """What a state depends on beside the log: one is continued under the same terms alone.

    Args:
        parameters: What is joined.
        space: Fingerprint of the SID space.
    """
    return {
        "layout": LAYOUT,
        _SPACE: space,
        "tasks": {
            task: "regression" if task in parameters.regressions else "binary"
            for task in parameters.labels
        },
        "history_length": parameters.history_length,
        "history_of": parameters.positive or "all impressions",
        "counters": parameters.counters,
        "day_microseconds": parameters.day_length,
        "half_life_microseconds": parameters.half_life,
    }


@dataclasses.dataclass(frozen=True)
class EarlierState:
    """A state that is continued.

    Attributes:
        folder: Where its files are.
        day: The day that it is as of: the first one that it has not in it.
        start: The first instant of that day, microseconds since 1970.
        groups: Groups of its users, a file each.
        labels: Numbers and sums of all labels, by task.
        same_space: Whether it is of the SID space of what continues it; of another one, counters by
            codes say nothing.
    """

    folder: str
    day: int
    start: int
    groups: int
    labels: Totals
    same_space: bool = True

    @classmethod
    def open(cls, folder: str, wanted: dict[str, Any], other_space: bool = False) -> "EarlierState":
        """Opens a state.

        Args:
            folder: Where its files are.
            wanted: The `terms` under which it is to be continued.
            other_space: Whether it may be of another SID space.

        Raises:
            InputError: It was made under other terms.
        """
        with FileSystems.open(os.path.join(folder, _STATE)) as file:
            content = json.loads(file.read())
        same_space = content.get(_SPACE) == wanted[_SPACE]
        for name, value in wanted.items():
            if content.get(name) != value and not (name == _SPACE and other_space):
                raise InputError(
                    f"{folder}: {name} of the state is {content.get(name)!r}, that of this run "
                    f"{value!r}; a state cannot be converted: make one of the whole log"
                )
        day = content["day"]
        start = day * content["day_microseconds"]
        labels = {task: (number, total) for task, (number, total) in content["labels"].items()}
        return cls(folder, day, start, content["groups"], labels, same_space)

    def user_files(self, number: int, groups: int) -> list[str]:
        """The files that users of one of so many groups may be in.

        Both groups are those of a hash, modulo their numbers.
        """
        step = math.gcd(groups, self.groups)
        files = range(number % step, self.groups, step)
        return [os.path.join(self.folder, user_file(file, self.groups)) for file in files]

    @property
    def items_file(self) -> str:
        """The file of the items' counters."""
        return os.path.join(self.folder, _ITEMS)


def read_creation(path: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The items of a state, n at a time: ids [n], bytes, and `created_at` [n] as in `ItemTable`."""
    for batch in _batches(path, ["item_id", "created_at"]):
        yield _ids(batch), batch["created_at"].to_numpy()


def read_items(
    path: str, table: ItemTable, groups: int, parameters: JoinParameters
) -> Iterator[tuple[int, ItemCounters]]:
    """Counters of the items of a state, dealt out to groups by the items' rows."""
    block = parameters.counter_layout.block
    for batch in _batches(path, None):
        columns = {name: batch[name].to_numpy() for name in batch.schema.names if name != "item_id"}
        counters = ItemCounters(
            table.find(_ids(batch)).astype(np.int64),
            np.stack([columns[name] for name in block], axis=1),
            np.stack([columns[f"recent_{name}"] for name in block], axis=1),
            columns["recent_day"],
        )
        group = counters.item % groups
        for number in np.unique(group):
            yield int(number), counters.take(np.flatnonzero(group == number))


def write_items(
    folder: str, parts: Iterable[ItemCounters], table: ItemTable, parameters: JoinParameters
) -> None:
    """Writes the counters of all items, by their ids."""
    block = parameters.counter_layout.block
    counters = ItemCounters.concatenate([ItemCounters.none(len(block)), *parts])
    columns = {
        "item_id": table.names.take(pa.array(counters.item)).cast(pa.string()),
        **dict(zip(block, counters.totals.T, strict=True)),
        **{f"recent_{n}": c for n, c in zip(block, counters.recent.T, strict=True)},
        "recent_day": counters.day,
        "created_at": table.created_at[counters.item],
    }
    with FileSystems.create(os.path.join(folder, _ITEMS)) as file:
        pq.write_table(pa.table(columns), file)


def write_state(
    folder: str,
    wanted: dict[str, Any],
    groups: int,
    last: int | None,
    labels: Totals,
    earlier: EarlierState | None,
) -> None:
    """Writes what says of which day a state is, and under which terms it was made.

    Args:
        folder: Where the state's files are.
        wanted: The `terms`.
        groups: Groups of its users.
        last: Time of the last impression, microseconds since 1970; None: there is none.
        labels: Numbers and sums of all labels, by task.
        earlier: The state before.
    """
    length = wanted["day_microseconds"]
    days = [earlier.day] if earlier else []
    if last is not None:
        days.append(last // length + 1)
    day = max(days, default=0)
    as_of = _EPOCH + datetime.timedelta(microseconds=day * length)
    content = {
        "as_of": as_of.isoformat(),
        "day": day,
        "groups": groups,
        "labels": labels,
        **wanted,
    }
    with FileSystems.create(os.path.join(folder, _STATE), "application/json") as file:
        file.write(json.dumps(content, indent=2).encode())


def _batches(path: str, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    with FileSystems.open(path) as file:
        yield from pq.ParquetFile(pa.BufferReader(file.read())).iter_batches(columns=columns)


def _ids(batch: pa.RecordBatch) -> np.ndarray:
    column = batch.column(batch.schema.get_field_index("item_id"))
    return column.cast(pa.binary()).to_numpy(zero_copy_only=False)
