"""Blocks of impressions as columns: the rows of their items, and their division into groups."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters

#: Columns of equally many impressions: `user_id` (empty where there is no user), `timestamp`,
#: `item` (row of the item table), `current_item_id`, `evaluation` (bool), and as `input_column`
#: says the labels (NaN where there is none), the categorical (None) and the numeric context (NaN).
Impressions = Mapping[str, np.ndarray]


def input_column(name: str) -> str:
    """The joined name of a label's or context's column, whose own name may be that of another."""
    return f"input {name}"


def read(
    batch: pa.RecordBatch, evaluation: bool, parameters: JoinParameters, table: ItemTable
) -> Impressions:
    """A block of a batch of ImpressionGen's Examples; `item` is -1 where it is not known."""
    item_ids = examples_lib.scalars(batch, "item_id", b"")
    columns = {
        "user_id": examples_lib.scalars(batch, "user_id", b""),
        "timestamp": examples_lib.scalars(batch, "timestamp", 0),
        "current_item_id": examples_lib.scalars(batch, "current_item_id", b""),
        "item": table.find(item_ids),
        "evaluation": np.full(len(item_ids), evaluation),
    }
    for column in parameters.categorical:
        columns[input_column(column)] = examples_lib.scalars(batch, column, None)
    for column in (*parameters.numeric, *parameters.labels.values()):
        columns[input_column(column)] = examples_lib.scalars(batch, column, np.nan)
    return columns


def by_group(block: Impressions, groups: int) -> Iterator[tuple[int, Impressions]]:
    """Deals a block out: a user's impressions all go to one group, those of no user to any."""
    group = pd.util.hash_array(block["user_id"]) % groups
    # Else one group would have them all.
    nobody = block["user_id"] == b""
    if nobody.any():
        spread = pd.util.hash_array(block["timestamp"]) + pd.util.hash_array(block["item"])
        group = np.where(nobody, spread % groups, group)
    for number in np.unique(group):
        yield int(number), select(block, group == number)


def select(block: Impressions, rows: np.ndarray) -> Impressions:
    """Some rows of a block: numbers of rows, or bool."""
    return {name: column[rows] for name, column in block.items()}


def concatenate(parts: Sequence[Impressions]) -> Impressions:
    """One block of all parts, in an order that does not depend on theirs."""
    block = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order, tied = _sorted(block, ("user_id", "timestamp", "item"))
    # Only where user, time and item are the same do all the columns decide.
    if len(tied):
        others = [name for name in sorted(block) if name not in ("user_id", "timestamp", "item")]
        within, _ = _sorted(select(block, order[tied]), ("user_id", "timestamp", "item", *others))
        order[tied] = order[tied][within]
    return select(block, order)


def _sorted(block: Impressions, names: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """The order of the rows by some columns, and positions in it whose values are not unique."""
    keys = [_sortable(block[name]) for name in names]
    order = np.lexsort(keys[::-1])
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    return order, tied


def _sortable(column: np.ndarray) -> np.ndarray:
    """Numbers that sort as the values do; a missing one comes first."""
    if column.dtype != object:
        return np.nan_to_num(column, nan=-np.inf) if column.dtype.kind == "f" else column
    return pd.factorize(column, sort=True)[0]
