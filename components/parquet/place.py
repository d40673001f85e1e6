"""Where in the input a batch of values comes from."""

from dataclasses import dataclass

import pyarrow as pa

from semantic_id_ranking.components.errors import InputError


@dataclass(frozen=True)
class Place:
    """A column's stretch of rows in a file, to name a value that is refused.

    Attributes:
        path: The Parquet file.
        column: Its column.
        row: Row of the file, counted from 0, that the batch at hand begins with.
    """

    path: str
    column: str
    row: int = 0

    def error(
        self, index: int, found: str, expected: str, item_id: str | None = None
    ) -> InputError:
        """The error for one value.

        Args:
            index: The value's position in the batch.
            found: The value, as text.
            expected: What would be right.
            item_id: The item whose value it is, where that is known.
        """
        item = f", item {item_id!r}" if item_id else ""
        return InputError(
            f"{self.path}: column {self.column!r}, row {self.row + int(index)} (counted from 0)"
            f"{item}: found {found}, expected {expected}."
        )

    def type_error(self, found: pa.DataType, expected: str) -> InputError:
        """The error for a column of the wrong type.

        Args:
            found: The column's Arrow type.
            expected: What would be right.
        """
        return InputError(
            f"{self.path}: column {self.column!r}: found the type {found}, expected {expected}."
        )
