"""The search for duplicate items."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from semantic_id_ranking.inputs.data_set import Block
from semantic_id_ranking.inputs.rejects import Reject


def check_unique(item_ids: pa.ChunkedArray, blocks: Sequence[Block], column: str) -> None:
    """Refuses an id that comes twice.

    Args:
        item_ids: All ids, in the order of the rows.
        blocks: Where they come from, in order.
        column: Their column, for the message.

    Raises:
        InputError: An item comes again.
    """
    encoded = item_ids.combine_chunks().dictionary_encode()
    # Codes are given in the order of appearance: a new id has a code above all before it.
    codes = encoded.indices.to_numpy()
    highest = np.maximum.accumulate(codes)
    repeated = codes[1:] <= highest[:-1]
    if not repeated.any():
        return
    second = int(repeated.argmax()) + 1
    first = int((codes == codes[second]).argmax())
    (path, row), (first_path, first_row) = _locate(second, blocks), _locate(first, blocks)
    item = item_ids[second].as_py().decode()
    where = f" of {first_path}" if first_path != path else ""
    found = f"{item!r} again, first in row {first_row}{where}"
    raise Reject(path, row, None, column, found, "each item once").error()


def _locate(position: int, blocks: Sequence[Block]) -> tuple[str, int]:
    for block in blocks:
        for piece in block.slices:
            rows = piece.end - piece.begin
            if position < rows:
                return piece.file.path, piece.begin + position
            position -= rows
    raise IndexError(position)
