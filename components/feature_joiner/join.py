"""The join of one group of users: pure functions over arrays."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from semantic_id_ranking.components.examples import ragged
from semantic_id_ranking.components.feature_joiner.history import recent_before
from semantic_id_ranking.components.feature_joiner.impressions import Impressions
from semantic_id_ranking.components.feature_joiner.impressions import input_column
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN

#: Columns of the histories.
HISTORIES = pa.schema([("user_id", pa.string()), ("item_id", pa.list_(pa.string()))])

_ROWS = 4096


def join(
    impressions: Impressions,
    table: ItemTable,
    popularity: np.ndarray,
    seen: np.ndarray,
    parameters: JoinParameters,
) -> Iterator[tuple[bool, pa.RecordBatch]]:
    """Attaches Semantic IDs and histories to all impressions of some users.

    Args:
        impressions: All impressions of these users, in any order.
        table: The items.
        popularity: [N] bytes, slice of each item.
        seen: [N] bool, whether an item has an impression in the training split.
        parameters: What is joined.

    Yields:
        Whether the rows are of the evaluation split, and the rows, ready for
        `RecordBatchToExamples`: both splits, in a random order that depends on the data alone.
    """
    user, _ = pd.factorize(impressions["user_id"])
    time = impressions["timestamp"]
    positive = _positives(impressions, parameters)
    order = np.random.default_rng(len(time)).permutation(len(time))
    for evaluation in (False, True):
        rows = order[impressions["evaluation"][order] == evaluation]
        for begin in range(0, len(rows), _ROWS):
            chosen = rows[begin : begin + _ROWS]
            offsets, events = recent_before(
                user[chosen],
                time[chosen],
                user[positive],
                time[positive],
                parameters.history_length,
            )
            history = impressions["item"][positive[events]]
            batch = _features(
                impressions, chosen, offsets, history, table, popularity, seen, parameters
            )
            yield evaluation, batch


def final_histories(
    impressions: Impressions, table: ItemTable, parameters: JoinParameters
) -> pa.Table:
    """Each user's history at the end of the log, as `HISTORIES`, most recent first."""
    user, users = pd.factorize(impressions["user_id"], sort=True)
    named = np.flatnonzero(users != b"")
    positive = _positives(impressions, parameters)
    time = impressions["timestamp"]
    offsets, events = recent_before(
        named,
        np.full(len(named), np.iinfo(np.int64).max),
        user[positive],
        time[positive],
        parameters.history_length,
    )
    items = table.ids.to_numpy()[impressions["item"][positive[events]]]
    return pa.table(
        {
            "user_id": pa.array([u.decode() for u in users[named]], pa.string()),
            "item_id": ragged(offsets, [i.decode() for i in items], pa.string()),
        },
        HISTORIES,
    )


def _positives(impressions: Impressions, parameters: JoinParameters) -> np.ndarray:
    """Rows that make history: the positives of somebody. A missing label is not a positive."""
    counts = impressions["user_id"] != b""
    if parameters.positive is not None:
        counts &= impressions[input_column(parameters.positive)] == 1
    return np.flatnonzero(counts)


def _features(
    impressions: Impressions,
    rows: np.ndarray,
    history_offsets: np.ndarray,
    history: np.ndarray,
    table: ItemTable,
    popularity: np.ndarray,
    seen: np.ndarray,
    parameters: JoinParameters,
) -> pa.RecordBatch:
    """The features of `trainer/ranker/features.py` of some impressions, as list columns."""
    item = impressions["item"][rows]
    ids = table.ids.to_numpy()
    user_id = impressions["user_id"][rows]
    levels = table.sids.shape[1]
    current_id = impressions["current_item_id"][rows]
    current = table.find(current_id)
    # The row after the last one stands for an item without a Semantic ID.
    sids = np.concatenate([table.sids, np.full((1, levels), -1, np.int32)])
    age = table.ages(item, impressions["timestamp"][rows])
    one = np.arange(len(rows) + 1)
    columns = {
        "user_id": _optional(user_id != b"", user_id, pa.binary()),
        "candidate_item_id": ragged(one, ids[item], pa.binary()),
        "candidate_sid": ragged(one * levels, sids[item].reshape(-1), pa.int64()),
        "current_item_id": ragged(one, current_id, pa.binary()),
        "current_sid": ragged(one * levels, sids[current].reshape(-1), pa.int64()),
        "history_item_id": ragged(history_offsets, ids[history], pa.binary()),
        "history_sid": ragged(history_offsets * levels, sids[history].reshape(-1), pa.int64()),
        "history_length": ragged(one, np.diff(history_offsets), pa.float32()),
        "timestamp": ragged(one, impressions["timestamp"][rows], pa.int64()),
        "slice_age": ragged(one, np.where(age <= parameters.new_days, b"new", b"old"), pa.binary()),
        "slice_seen": ragged(one, np.where(seen[item], b"seen", b"unseen"), pa.binary()),
        "slice_popularity": ragged(one, popularity[item], pa.binary()),
    }
    if table.embeddings is not None:
        dim = table.embeddings.shape[1]
        embeddings = np.concatenate([table.embeddings, np.zeros((1, dim), np.float32)])
        for role, items, offsets in (
            ("candidate", item, one),
            ("current", current, one),
            ("history", history, history_offsets),
        ):
            values = embeddings[items].reshape(-1)
            columns[f"{role}_embedding"] = ragged(offsets * dim, values, pa.float32())
    for task, column in parameters.labels.items():
        values = impressions[input_column(column)][rows].astype(np.float32)
        masked = np.isnan(values)
        # A reader of fixed features wants a number; its weight tells whether it counts.
        columns[f"label_{task}"] = ragged(one, np.where(masked, 0, values), pa.float32())
        columns[f"weight_{task}"] = ragged(one, (~masked).astype(np.float32), pa.float32())
    if parameters.item_age:
        columns[context_feature(ITEM_AGE_COLUMN)] = ragged(
            one, age.astype(np.float32), pa.float32()
        )
    for column in parameters.categorical:
        values = impressions[input_column(column)][rows]
        present = np.array([value is not None for value in values], bool)
        columns[context_feature(column)] = _optional(present, values, pa.binary())
    for column in parameters.numeric:
        values = impressions[input_column(column)][rows].astype(np.float32)
        columns[context_feature(column)] = _optional(~np.isnan(values), values, pa.float32())
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def _optional(present: np.ndarray, values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """A list column with one value where there is one, and none elsewhere."""
    offsets = np.concatenate([[0], np.cumsum(present)])
    return ragged(offsets, values[present], kind)
