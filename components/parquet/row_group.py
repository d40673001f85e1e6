"""Parquet files as row groups, the pieces that workers read side by side."""

from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.components.errors import InputError

_BATCH_ROWS = 8192
# Without a buffer Arrow takes a row group's whole column into memory, which may be gigabytes.
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet file.

    Attributes:
        path: The file; any that Beam's FileSystems opens.
        index: Number of the row group in the file.
        first_row: Row of the file that it begins with, counted from 0.
        rows: Number of its rows.
    """

    path: str
    index: int
    first_row: int
    rows: int

    def read(
        self, columns: Iterable[str], batch_rows: int = _BATCH_ROWS
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Streams columns.

        Args:
            columns: Names of top-level columns of the file.
            batch_rows: Rows in a batch, at most.

        Yields:
            The row of the file a batch begins with, and the batch.

        Raises:
            InputError: The data are damaged.
        """
        row = self.first_row
        with open_parquet(self.path) as file:
            try:
                for batch in file.iter_batches(
                    batch_rows, row_groups=[self.index], columns=list(columns)
                ):
                    yield row, batch
                    row += batch.num_rows
            except (pa.ArrowException, OSError) as error:
                raise InputError(
                    f"{self.path}: cannot be read from row {row} (counted from 0) on: "
                    f"{_reason(error)}."
                ) from error


def list_files(pattern: str) -> list[str]:
    """The files a path or glob pattern names, sorted.

    Args:
        pattern: A path (also one with the characters of a glob in it), or a glob as Beam's
            FileSystems know it.

    Raises:
        InputError: There is none.
    """
    try:
        if FileSystems.exists(pattern):
            return [pattern]
        matches = FileSystems.match([pattern])[0].metadata_list
    except ValueError as error:  # A scheme that no installed filesystem serves.
        raise InputError(f"{pattern}: cannot be looked up: {error}.") from error
    if not matches:
        raise InputError(f"{pattern}: no such file.")
    return sorted(match.path for match in matches)


@contextmanager
def open_parquet(path: str) -> Iterator[pq.ParquetFile]:
    """Opens a Parquet file, local or remote.

    Raises:
        InputError: It is a directory, cannot be read, or is not Parquet.
    """
    try:
        stream = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except IsADirectoryError as error:
        raise InputError(
            f"{path}: is a directory, expected Parquet files; name them by {path}/*.parquet."
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {_reason(error)}.") from error
    with stream:
        try:
            file = pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{path}: is not a Parquet file: {_reason(error)}.") from error
        yield file


def row_groups(paths: Iterable[str]) -> list[RowGroup]:
    """All row groups that hold rows, in the order of the files and of their rows.

    Raises:
        InputError: The files hold no row at all, or one of them is not Parquet.
    """
    paths = list(paths)
    groups = []
    for path in paths:
        with open_parquet(path) as file:
            row = 0
            for index in range(file.metadata.num_row_groups):
                rows = file.metadata.row_group(index).num_rows
                if rows:
                    groups.append(RowGroup(path, index, row, rows))
                row += rows
    if not groups:
        raise InputError(f"{', '.join(paths)}: holds no rows, expected at least one.")
    return groups


def read_schema(path: str, required: dict[str, str]) -> pa.Schema:
    """A file's Arrow schema, with the columns that must be there.

    Args:
        path: The file.
        required: Column -> what it is for, as in "the label of task 'click'".

    Raises:
        InputError: A column is missing; it is named, and so are those that exist.
    """
    with open_parquet(path) as file:
        schema = file.schema_arrow
    for column, purpose in required.items():
        if column not in schema.names:
            raise InputError(
                f"{path}: column {column!r} ({purpose}) is missing; "
                f"the file's columns are {', '.join(schema.names)}."
            )
    return schema


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
