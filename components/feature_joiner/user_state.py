"""Users at a moment, and their files."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow_hotfix  # noqa: F401  CVE-2023-47248
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.components.feature_joiner import history
from semantic_id_ranking.components.feature_joiner.blocks import hash_ids
from semantic_id_ranking.components.feature_joiner.history import Events
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.user_counters import split_codes
from semantic_id_ranking.components.feature_joiner.user_counters import UserCounters


@dataclasses.dataclass(frozen=True)
class UserState:
    """What is known of U users at a moment.

    Attributes:
        ids: Binary [U], ascending.
        events: Their history, the most recent first.
        counters: Their counters; None where none are joined.
    """

    ids: pa.BinaryArray
    events: Events
    counters: UserCounters | None

    def without_codes(self) -> "UserState":
        """The same users without counters by codes, which another SID space has no use for."""
        if self.counters is None:
            return self
        none = np.zeros(0, np.int64)
        by_codes = np.zeros((0, self.counters.by_codes.shape[1]), np.int64)
        counters = UserCounters(self.counters.totals, none, none, by_codes)
        return dataclasses.replace(self, counters=counters)


def read_users(
    paths: list[str], group: int, groups: int, table: ItemTable, parameters: JoinParameters
) -> UserState:
    """Reads the users of one group.

    Args:
        paths: Files of users of a state; none of them: there are no users.
        group: The group.
        groups: Number of groups, by `blocks.hash_ids`.
        table: The items, those of the state among them.
        parameters: What is joined.
    """
    schema = _schema(parameters)
    parts = [schema.empty_table()]
    for path in paths:
        with FileSystems.open(path, compression_type="uncompressed") as file:
            part = pq.ParquetFile(pa.BufferReader(file.read())).read()
        mine = (
            hash_ids(part["user_id"].combine_chunks().cast(pa.binary())) % np.uint64(groups)
            == group
        )
        parts.append((part if mine.all() else part.filter(pa.array(mine))).cast(schema))
    rows = pa.concat_tables(parts).combine_chunks()
    if len(paths) > 1:
        rows = rows.sort_by("user_id")
    lengths, names = _lists(rows["item_id"])
    encoded = names.cast(pa.binary()).dictionary_encode()
    item = table.find(encoded.dictionary.to_numpy(zero_copy_only=False))
    labels = [_lists(rows[f"label_{task}"])[1].to_numpy() for task in parameters.labels]
    events = Events(
        lengths,
        item[encoded.indices.to_numpy()].astype(np.int64),
        _lists(rows["timestamp"])[1].to_numpy(),
        np.stack(labels, axis=1) if labels else np.zeros((len(names), 0), np.float32),
    )
    ids = rows["user_id"].combine_chunks().cast(pa.binary())
    if not parameters.counters:
        return UserState(ids, events, None)
    block = parameters.counter_layout.block
    totals = np.stack([rows[name].to_numpy() for name in block], axis=1)
    lengths, codes = _lists(rows["codes"])
    pairs = codes.to_numpy().reshape(-1, 2).astype(np.int64)
    by_codes = [_lists(rows[f"codes_{name}"])[1].to_numpy() for name in block]
    counters = UserCounters(
        totals,
        np.repeat(np.arange(len(ids)), lengths // 2),
        (pairs[:, 0] << 32) + pairs[:, 1],
        np.stack(by_codes, axis=1).astype(np.int64),
    )
    return UserState(ids, events, counters)


def write_users(path: str, users: UserState, table: ItemTable, parameters: JoinParameters) -> None:
    """Writes a file of users, in the order of their ids."""
    events = users.events
    columns = [
        users.ids.cast(pa.string()),
        _ragged(events.lengths, table.names.take(pa.array(events.item)).cast(pa.string())),
        _ragged(events.lengths, pa.array(events.time)),
        *(_ragged(events.lengths, pa.array(labels)) for labels in events.labels.T),
    ]
    if users.counters is not None:
        counters = users.counters
        pairs = np.bincount(counters.user, minlength=len(users.ids))
        columns += [pa.array(values) for values in counters.totals.T]
        columns.append(_ragged(2 * pairs, pa.array(split_codes(counters.codes).reshape(-1))))
        columns += [
            _ragged(pairs, pa.array(values.astype(np.int32))) for values in counters.by_codes.T
        ]
    rows = pa.Table.from_arrays(columns, schema=_schema(parameters))
    with FileSystems.create(path, compression_type="uncompressed") as file:
        pq.write_table(rows, file)


def last_events(events: Events, length: int) -> Events:
    """The last events of each user, the most recent first, of events of which the oldest is first.

    Args:
        events: Of U users.
        length: Events of a user, at most.
    """
    end = np.cumsum(events.lengths)
    offsets, rows = history.recent(end - events.lengths, end, length)
    return events.take(np.diff(offsets), rows)


def oldest_first(events: Events, user: np.ndarray, users: int) -> Events:
    """The same events, each user's the other way round.

    Args:
        events: Of some users, the most recent first.
        user: int64, numbers of those users, ascending.
        users: Number of users that the result is of.
    """
    end = np.cumsum(events.lengths)
    begin = end - events.lengths
    rows = np.repeat(end + begin, events.lengths) - 1 - np.arange(len(events.item))
    lengths = np.zeros(users, np.int64)
    lengths[user] = events.lengths
    return events.take(lengths, rows)


def _schema(parameters: JoinParameters) -> pa.Schema:
    fields = [
        ("user_id", pa.string()),
        ("item_id", pa.list_(pa.string())),
        ("timestamp", pa.list_(pa.int64())),
        *((f"label_{task}", pa.list_(pa.float32())) for task in parameters.labels),
    ]
    if parameters.counters:
        block = parameters.counter_layout.block
        fields += [(name, pa.int64()) for name in block]
        fields.append(("codes", pa.list_(pa.int32())))
        fields += [(f"codes_{name}", pa.list_(pa.int32())) for name in block]
    return pa.schema(fields)


def _ragged(lengths: np.ndarray, values: pa.Array) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _lists(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """Lengths and values of a column of lists."""
    lists = column.combine_chunks()
    return lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64), lists.flatten()
