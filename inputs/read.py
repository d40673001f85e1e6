"""Rows of a Parquet file, as batches of Arrow."""

from collections.abc import Iterator
from collections.abc import Mapping

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import column_type
from semantic_id_ranking.inputs.column_type import Kind
from semantic_id_ranking.inputs.duck import cursor
from semantic_id_ranking.inputs.duck import literal
from semantic_id_ranking.inputs.parquet_file import Column
from semantic_id_ranking.inputs.parquet_file import ParquetFile
from semantic_id_ranking.inputs.parquet_file import reason
from semantic_id_ranking.inputs.parquet_file import table
from semantic_id_ranking.inputs.uses import Use

#: Name of a column of the batches -> column of the file (None: there is none), and its use.
Columns = Mapping[str, tuple[str | None, Use]]

_ABSENT = Column(column_type.NULL, None)
_NOT_UTF8 = "is not valid UTF8"
_FAILURES = (duckdb.Error, pa.ArrowException, OSError)


def read(
    file: ParquetFile, begin: int, end: int, columns: Columns, batch_rows: int
) -> Iterator[tuple[str, int, pa.RecordBatch]]:
    """Streams columns of some rows.

    Args:
        file: The file.
        begin: Row to begin with, counted from 0.
        end: Row to end before.
        columns: What is read; a column that the file does not have is null.
        batch_rows: Rows in a batch, at most.

    Yields:
        The file, the row that a batch begins with, and the batch: ids and categories as binary,
        numbers as double, times as int64 microseconds since the epoch, lists as lists.

    Raises:
        InputError: The data are damaged, or the file has changed.
    """
    row = begin
    try:
        try:
            for batch in _query(file, begin, end, columns, batch_rows):
                yield file.path, row, batch
                row += batch.num_rows
        except _FAILURES as error:
            if _NOT_UTF8 not in str(error):
                raise
            # DuckDB refuses the whole column for one such text.
            for batch in _query_and_texts(file, row, end, columns, batch_rows):
                yield file.path, row, batch
                row += batch.num_rows
    except _FAILURES as error:
        raise InputError(
            f"{file.path}: cannot be read from row {row} (counted from 0) on: "
            f"{reason(error, file.path)}."
        ) from error
    if row != end:
        raise InputError(f"{file.path}: ends at row {row}, expected {end}: it has changed.")


def _query(
    file: ParquetFile, begin: int, end: int, columns: Columns, batch_rows: int
) -> Iterator[pa.RecordBatch]:
    names = list(columns)
    expressions = [_expression(file, *column) for column in columns.values()]
    # Aliases by number: names do not identify columns in DuckDB.
    selected = ", ".join(f"{sql} AS f{i}" for i, sql in enumerate(expressions))
    query = f"SELECT {selected} FROM {table(file.path, file.width)}"
    if (begin, end) != (0, file.rows):
        query += f" WHERE file_row_number BETWEEN {begin} AND {end - 1}"
    connection = cursor(file.path)
    try:
        for batch in connection.execute(query).to_arrow_reader(batch_rows):
            named = pa.RecordBatch.from_arrays(batch.columns, names)
            # DuckDB's batches are multiples of its vectors, 2,048 rows.
            for row in range(0, batch.num_rows, batch_rows):
                yield named.slice(row, batch_rows)
    finally:
        connection.close()


def _expression(file: ParquetFile, name: str | None, use: Use) -> str:
    column = _column(file, name)
    reading = use.read(column.type)
    if reading is None:
        raise ValueError(f"{file.path}: column {name!r} was not checked")
    if column.position is not None:
        return reading.sql.format(f"c{column.position}")
    return use.null if column.value is None else reading.sql.format(literal(column.value))


def _query_and_texts(
    file: ParquetFile, begin: int, end: int, columns: Columns, batch_rows: int
) -> Iterator[pa.RecordBatch]:
    """Rows as by `_query`, but with the texts read by pyarrow, which does not validate them."""
    of_texts = {
        name: column
        for name, (column, _) in columns.items()
        if column is not None and _is_text(file, column)
    }
    others = {name: column for name, column in columns.items() if name not in of_texts}
    texts = _texts(file, sorted(set(of_texts.values())), begin, end)
    if not others:
        columns_of_text = {name: texts[column] for name, column in of_texts.items()}
        yield from pa.table(columns_of_text).to_batches(batch_rows)
        return
    row = 0
    for batch in _query(file, begin, end, others, batch_rows):
        found = dict(zip(others, batch.columns, strict=True))
        found |= {n: texts[column].slice(row, batch.num_rows) for n, column in of_texts.items()}
        yield pa.RecordBatch.from_arrays([found[name] for name in columns], list(columns))
        row += batch.num_rows


def _is_text(file: ParquetFile, name: str | None) -> bool:
    column = _column(file, name)
    kind = column.type.value if column.type.kind is Kind.LIST else column.type
    return kind.kind is Kind.TEXT and column.position is not None


def _texts(file: ParquetFile, names: list[str], begin: int, end: int) -> dict[str, pa.Array]:
    row, parts = 0, []
    with FileSystems.open(file.path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
        parquet = pq.ParquetFile(stream)
        for group in range(parquet.num_row_groups):
            after = row + parquet.metadata.row_group(group).num_rows
            if row < end and begin < after:
                first = max(begin - row, 0)
                rows = parquet.read_row_group(group, columns=names)
                parts.append(rows.slice(first, min(end, after) - row - first))
            row = after
    return {
        name: _binary(column)
        for name, column in zip(names, pa.concat_tables(parts).select(names).columns, strict=True)
    }


def _binary(column: pa.ChunkedArray) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    column = column.cast(pa.list_(pa.binary()) if is_list else pa.binary())
    return pa.concat_arrays(column.chunks)


def _column(file: ParquetFile, name: str | None) -> Column:
    return _ABSENT if name is None else file.columns.get(name, _ABSENT)
