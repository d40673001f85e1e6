"""Blocks of impressions as Arrow tables, dealt out to groups and put together again."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.feature_joiner.item_counters import CountedItems
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.popularity import EVALUATION

#: Columns of a block: `user_id` (binary, null where there is no user), `timestamp` (int64), `item`
#: (int64, row of the item table), `evaluation` (bool); `current_item_id` (binary) where the log has
#: one; and, as `input_column` says, the labels (float32, NaN where there is none), the categorical
#: (binary) and the numeric context (float32, NaN where missing). What the items' counters add is
#: in `popularity` (int64) and `item_counters` (list of float32: where counters are joined, those of
#: all time, then the recent ones; else those at the start of the impression's period).
Block: TypeAlias = pa.Table

_KEYS = ("user_id", "timestamp", "item")


def input_column(name: str) -> str:
    """What a label's or context's column is called, whose own name may be that of another."""
    return f"input {name}"


def numbers(block: Block, name: str) -> np.ndarray:
    """A column of numbers as an array [n]."""
    return block[name].to_numpy()


def effective_time(block: Block, start: int | None) -> np.ndarray:
    """The times by which impressions are joined: a late one is at the start, microseconds."""
    time = numbers(block, "timestamp")
    return time if start is None else np.maximum(time, start)


def counter_flags(block: Block, parameters: JoinParameters) -> np.ndarray:
    """What each impression adds to the counters of `CounterLayout.block`, int64 [n, C]."""
    columns = [np.ones(block.num_rows, np.int64)]
    for task in parameters.counter_layout.tasks:
        label = numbers(block, input_column(parameters.labels[task]))
        columns += [~np.isnan(label), label == 1]
    return np.stack(columns, axis=1).astype(np.int64)


def labels(block: Block, parameters: JoinParameters) -> np.ndarray:
    """The labels of all tasks, float32 [n, T], NaN where there is none."""
    columns = [numbers(block, input_column(column)) for column in parameters.labels.values()]
    return np.stack(columns, axis=1).astype(np.float32, copy=False)


def periods(block: Block, time: np.ndarray, parameters: JoinParameters) -> np.ndarray:
    """The period of each impression: its day, or `EVALUATION`, int64 [n].

    Args:
        block: n impressions.
        time: int64 [n], their `effective_time`.
        parameters: What is joined.
    """
    days = parameters.days.of(time)
    if not parameters.evaluation_period:
        return days
    return np.where(numbers(block, "evaluation"), EVALUATION, days)


def with_counters(block: Block, counted: CountedItems, parameters: JoinParameters) -> Block:
    """A block with the columns that the items' counters add."""
    joined = [counted.totals, counted.recent] if parameters.counters else [counted.at_start]
    counters = np.concatenate(joined, axis=1, dtype=np.float32)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(counters.reshape(-1)), counters.shape[1])
    popularity = pa.array(counted.at_start[:, 0])
    return block.append_column("popularity", popularity).append_column("item_counters", lists)


def deal(block: Block, group: np.ndarray) -> Iterator[tuple[int, bytes]]:
    """Deals a block out.

    Args:
        block: n impressions.
        group: int64 [n], the group that each goes to.

    Yields:
        A group and its part of the block, serialised.
    """
    order = np.argsort(group, kind="stable")
    group, block = group[order], block.take(pa.array(order))
    numbers_, first = np.unique(group, return_index=True)
    for number, begin, end in zip(numbers_, first, [*first[1:], len(group)], strict=True):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, block.schema) as writer:
            writer.write_table(block.slice(begin, end - begin))
        yield int(number), sink.getvalue().to_pybytes()


def user_groups(block: Block, groups: int) -> np.ndarray:
    """The group of each impression's user, int64 [n]; those of no user go to any."""
    users = block["user_id"].combine_chunks()
    hashes = hash_ids(users)
    # Else one group would have them all.
    spread = pd.util.hash_array(numbers(block, "timestamp") + numbers(block, "item"))
    nobody = users.is_null().to_numpy(zero_copy_only=False)
    return (np.where(nobody, spread, hashes) % np.uint64(groups)).astype(np.int64)


def hash_ids(ids: pa.BinaryArray) -> np.ndarray:
    """Hashes of ids, uint64 [n], the same in every process; 0 of a null."""
    encoded = ids.dictionary_encode()
    distinct = encoded.dictionary.to_numpy(zero_copy_only=False)
    hashes = np.append(pd.util.hash_array(distinct), np.uint64(0))
    return hashes[encoded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)]


def join_parts(parts: Sequence[bytes]) -> Block:
    """One block of the parts that `deal` made, in any order; one at least."""
    return pa.concat_tables([pa.ipc.open_stream(part).read_all() for part in parts])


def in_order(block: Block, user: np.ndarray, time: np.ndarray) -> np.ndarray:
    """The order of impressions by user, time, item and then all other columns.

    Args:
        block: n impressions, in an order that means nothing.
        user: int64 [n], numbers in the order of the users.
        time: int64 [n].

    Returns:
        int64 [n], indices into the block.
    """
    keys = user, time, numbers(block, "item")
    order = np.lexsort(keys[::-1])
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if len(tied):
        others = [name for name in sorted(block.column_names) if _is_scalar(block, name)]
        rows = block.select(others).take(pa.array(order[tied]))
        # The tied rows by their position first: only within a run do the other columns decide.
        run = np.cumsum(~np.append(False, same))[tied]
        rows = rows.append_column(" run", pa.array(run))
        by = [(name, "ascending") for name in (" run", *others)]
        order[tied] = order[tied][pc.sort_indices(rows, sort_keys=by).to_numpy()]
    return order


def _is_scalar(block: Block, name: str) -> bool:
    # A list's value follows from the item and the time.
    return name not in _KEYS and not pa.types.is_fixed_size_list(block.schema.field(name).type)
