"""Item ids as hashes, and the search for duplicates."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import pandas as pd

from semantic_id_ranking.encoding.item_check import parse_ids
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import Block
from semantic_id_ranking.inputs.rejects import Reject

KEYS = np.dtype([("key", "<u8")])
_BATCH_ROWS = 65536
# Hashes shared by two items, whose ids are compared; more of them cannot be by chance.
_MOST_SUSPECTS = 1000


def item_keys(item_ids: np.ndarray) -> np.ndarray:
    """64-bit hashes, uint64 [n], of item ids [n] object (str); the same in every process."""
    return pd.util.hash_array(item_ids, categorize=False)


def read_ids(
    blocks: Iterable[Block], column: str, skip_bad: bool
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Streams the ids of items alone.

    Args:
        blocks: Where they are.
        column: Their column.
        skip_bad: Whether a bad id is left out; it is refused otherwise.

    Yields:
        The file; ids [n] object (str); row of each in the file, int64 [n].

    Raises:
        InputError: An id is bad.
    """
    for block in blocks:
        for path, row, batch in block.read({"item_id": (column, uses.IDS)}, _BATCH_ROWS):
            texts, bad = parse_ids(batch.column("item_id"))
            for index, what in bad.items():
                if not skip_bad:
                    raise Reject(path, row + index, None, column, *what).error()
            positions = np.flatnonzero(texts != "")
            yield path, texts[positions], row + positions


def repeated(keys: np.ndarray) -> np.ndarray:
    """Those of sorted keys uint64 [n] that come more than once; each may come again."""
    return keys[1:][keys[1:] == keys[:-1]]


def check_unique(blocks: Sequence[Block], column: str, suspects: np.ndarray) -> None:
    """Refuses an id that comes twice.

    Args:
        blocks: All items, in order.
        column: Column of the ids.
        suspects: Keys that come more than once, uint64.

    Raises:
        InputError: An item comes again.
    """
    suspects = np.unique(suspects)[:_MOST_SUSPECTS]
    seen: dict[str, tuple[str, int]] = {}
    for path, texts, rows in read_ids(blocks, column, skip_bad=True):
        for i in np.flatnonzero(np.isin(item_keys(texts), suspects)).tolist():
            if texts[i] in seen:
                first_path, first_row = seen[texts[i]]
                where = f" of {first_path}" if first_path != path else ""
                found = f"{texts[i]!r} again, first in row {first_row}{where}"
                raise Reject(path, int(rows[i]), None, column, found, "each item once").error()
            seen[texts[i]] = path, int(rows[i])
