"""Bad rows, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from semantic_id_ranking.contracts.errors import InputError

#: Of a file of rejects.
REJECTS = pa.schema(
    [("item_id", pa.string()), ("file", pa.string()), ("row", pa.int64()), ("reason", pa.string())]
)


@dataclass(frozen=True)
class Reject:
    """A bad row.

    Attributes:
        path: The file.
        row: Row of the file, counted from 0.
        item_id: Its item; None where that is what is wrong.
        column: The column that is wrong.
        found: What was found there.
        expected: What would be right.
    """

    path: str
    row: int
    item_id: str | None
    column: str
    found: str
    expected: str

    def error(self) -> InputError:
        """The error for it alone."""
        item = f", item {self.item_id!r}" if self.item_id else ""
        return InputError(
            f"{self.path}: column {self.column!r}, row {self.row} (counted from 0){item}: found "
            f"{self.found}, expected {self.expected}."
        )


def require_at_most(rejects: Sequence[Reject], skip_bad: int, rows: str) -> None:
    """Refuses more bad rows than are allowed.

    Args:
        rejects: The bad rows.
        skip_bad: How many of them are put aside, at most.
        rows: What the rows are, as in "items".

    Raises:
        InputError: There are more; one of them is named.
    """
    if len(rejects) <= skip_bad:
        return
    error = rejects[skip_bad].error()
    if not skip_bad:
        raise error
    raise InputError(f"More than {skip_bad} {rows} are bad (--skip-bad), one of them {error}")


def to_table(rejects: Sequence[Reject]) -> pa.Table:
    """Bad rows as a table of the schema `REJECTS`."""
    return pa.Table.from_pylist(
        [
            {
                "item_id": reject.item_id,
                "file": reject.path,
                "row": reject.row,
                "reason": f"column {reject.column!r}: found {reject.found}, expected "
                f"{reject.expected}",
            }
            for reject in rejects
        ],
        REJECTS,
    )
