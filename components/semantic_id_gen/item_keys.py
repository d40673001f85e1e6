"""Item ids as hashes, and the search for one that comes twice."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import pandas as pd

from semantic_id_ranking.components.parquet.place import Place
from semantic_id_ranking.components.parquet.row_group import RowGroup
from semantic_id_ranking.components.semantic_id_gen.item_check import parse_ids

KEYS = np.dtype([("key", "<u8")])
_BATCH_ROWS = 65536
# Hashes shared by two items, whose ids are compared; more of them cannot be by chance.
_MOST_SUSPECTS = 1000


def item_keys(item_ids: np.ndarray) -> np.ndarray:
    """64-bit hashes, uint64 [n], of item ids [n] object (str); the same in every process."""
    return pd.util.hash_array(item_ids, categorize=False)


def read_ids(
    groups: Iterable[RowGroup], column: str, skip_bad: bool
) -> Iterator[tuple[Place, np.ndarray, np.ndarray]]:
    """Streams the ids of items alone.

    Args:
        groups: Where they are.
        column: Their column.
        skip_bad: Whether a null or empty id is left out; it is refused otherwise.

    Yields:
        Where a batch comes from; ids [n] object (str); position of each in the batch, int64 [n].

    Raises:
        InputError: The column has another type, or an id is bad.
    """
    for group in groups:
        for row, batch in group.read([column], _BATCH_ROWS):
            place = Place(group.path, column, row)
            texts, bad = parse_ids(batch.column(column), place)
            for index, (found, expected) in bad.items():
                if not skip_bad:
                    raise place.error(index, found, expected)
            positions = np.flatnonzero(texts != "")
            yield place, texts[positions], positions


def repeated(keys: np.ndarray) -> np.ndarray:
    """Those of sorted keys uint64 [n] that come more than once; each may come again."""
    return keys[1:][keys[1:] == keys[:-1]]


def check_unique(groups: Sequence[RowGroup], column: str, suspects: np.ndarray) -> None:
    """Refuses an id that comes twice.

    Args:
        groups: All row groups, in order.
        column: Column of the ids.
        suspects: Keys that come more than once, uint64.

    Raises:
        InputError: An item comes again.
    """
    suspects = np.unique(suspects)[:_MOST_SUSPECTS]
    seen: dict[str, tuple[str, int]] = {}
    for place, texts, positions in read_ids(groups, column, skip_bad=True):
        for i in np.flatnonzero(np.isin(item_keys(texts), suspects)).tolist():
            index = int(positions[i])
            if texts[i] in seen:
                path, row = seen[texts[i]]
                where = f" of {path}" if path != place.path else ""
                raise place.error(
                    index, f"{texts[i]!r} again, first in row {row}{where}", "each item once"
                )
            seen[texts[i]] = place.path, place.row + index
