"""Keys of the rows of embedding tables, and the match of a new table's rows with an old one's."""

from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Kind of the section of one row that all keys share which have none of their own.
UNKNOWN = "unknown"

_NO_ROW = -1


class RowSection(NamedTuple):
    """Consecutive rows of an embedding table, and what each stands for.

    A table is one section after the other. A row keeps its meaning from one training to the next by
    its kind and its key, wherever in the table it is.

    Attributes:
        kind: What the keys are, such as `item_id` or `category`; once in a table.
        keys: int64 or bytes (dtype object) [n], distinct; or `range(n)`, where the index says what
            a row stands for.
    """

    kind: str
    keys: range | NDArray[Any]


def source_rows(old: Sequence[RowSection], new: Sequence[RowSection]) -> NDArray[np.int64]:
    """Finds the row of an old table that each row of a new table continues.

    >>> import numpy as np
    >>> unknown = RowSection(UNKNOWN, range(1))
    >>> old = [RowSection("item_id", np.array([30, 70])), unknown]
    >>> new = [RowSection("item_id", np.array([30, 50, 70])), unknown]
    >>> source_rows(old, new).tolist()
    [0, 2, 1, 2]

    Args:
        old: The sections of the old table.
        new: Those of the new one.

    Returns:
        int64 [rows of the new table]. A key that is new continues the row `UNKNOWN`, which stood
        for it so far; in a table without one it continues none, -1.
    """
    starts = {}
    first = 0
    for section in old:
        starts[section.kind] = (first, section.keys)
        first += len(section.keys)
    unknown = starts[UNKNOWN][0] if UNKNOWN in starts else _NO_ROW
    found = [np.zeros(0, np.int64)]
    for section in new:
        start, keys = starts.get(section.kind, (0, range(0)))
        index = _index(keys, section.keys)
        found.append(np.where(index >= 0, start + index, unknown))
    return np.concatenate(found)


def _index(old: range | NDArray[Any], new: range | NDArray[Any]) -> NDArray[np.int64]:
    """Index of each new key among the old ones, int64 [n]; -1 where it is none of them."""
    if isinstance(old, range) and isinstance(new, range):
        index = np.arange(len(new), dtype=np.int64)
        return np.where(index < len(old), index, _NO_ROW)
    old, new = np.asarray(old), np.asarray(new)
    if not len(old):
        return np.full(len(new), _NO_ROW, np.int64)
    order = np.argsort(old, kind="stable")
    position = np.minimum(np.searchsorted(old, new, sorter=order), len(old) - 1)
    index = order[position].astype(np.int64)
    return np.where(old[index] == new, index, _NO_ROW)
