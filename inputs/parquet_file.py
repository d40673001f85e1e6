"""A Parquet file: its columns and their types."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import column_type
from semantic_id_ranking.inputs.column_type import ColumnType
from semantic_id_ranking.inputs.column_type import Kind
from semantic_id_ranking.inputs.duck import cursor
from semantic_id_ranking.inputs.duck import file_literal
from semantic_id_ranking.inputs.files import FilePath

# DuckDB reads longer decimals as doubles.
_MOST_DIGITS = 38
_NODE = "name, type, num_children, precision, scale, converted_type, logical_type, type_length"


@dataclass(frozen=True)
class Column:
    """A column of a file.

    Attributes:
        type: Its type.
        position: Position among the file's top-level columns; None: a folder's name gives it.
        value: What the folder's name gives.
    """

    type: ColumnType
    position: int | None
    value: str | None = None


@dataclass(frozen=True)
class ParquetFile:
    """A file that was looked at.

    Attributes:
        source: Its path and partitions.
        rows: Number of rows.
        width: Number of top-level columns in the file.
        columns: Column -> where it is; those of the partitions come last.
    """

    source: FilePath
    rows: int
    width: int
    columns: Mapping[str, Column]

    @property
    def path(self) -> str:
        """Its path."""
        return self.source.path


def open_file(source: FilePath) -> ParquetFile:
    """Looks at the footer of a file.

    Args:
        source: The file.

    Raises:
        InputError: It cannot be read, or is not Parquet.
    """
    path = source.path
    try:
        connection = cursor(path)
        nodes = tuple(
            connection.execute(
                f"SELECT {_NODE} FROM parquet_schema({file_literal(path)})"
            ).fetchall()
        )
        ((rows,),) = connection.execute(
            f"SELECT num_rows FROM parquet_file_metadata({file_literal(path)})"
        ).fetchall()
        types = _describe(path, nodes)
    except duckdb.InvalidInputException as error:
        raise InputError(f"{path}: is not a Parquet file: {reason(error, path)}.") from error
    except (duckdb.Error, OSError) as error:
        raise InputError(f"{path}: cannot be read: {reason(error, path)}.") from error
    columns: dict[str, Column] = {}
    for position, (name, kind) in enumerate(types):
        if name in columns:
            kind = ColumnType("two columns of one name", Kind.OTHER)
        columns[name] = Column(kind, position)
    for name, value in source.partitions:
        # What is in the file is more exact than the name of its folder.
        columns.setdefault(name, Column(column_type.TEXT, None, value))
    return ParquetFile(source, rows, len(types), columns)


def reason(error: Exception, path: str) -> str:
    """The first line of an error, without the words that every such error begins with."""
    text = str(error).partition("\n")[0].strip().rstrip(".")
    for prefix in ("Invalid Input Error: ", "IO Error: ", "Binder Error: ", "Error: "):
        text = text.removeprefix(prefix)
    return text.replace(f" '{path}'", "").replace(f' "{path}"', "").replace(path, "it")


def table(path: str, width: int) -> str:
    """A file as a table of SQL, its columns named c0, c1, … by their positions.

    Names do not identify columns in DuckDB, where case does not count and two may be one.

    Args:
        path: The file.
        width: Number of its top-level columns.
    """
    names = ", ".join(f"c{i}" for i in range(width))
    return f"read_parquet({file_literal(path)}, hive_partitioning = false) AS t({names})"


def _describe(path: str, nodes: Sequence[tuple[Any, ...]]) -> list[tuple[str, ColumnType]]:
    """Name and type of each top-level column."""
    columns = list(_top_level(nodes))
    types = _sql_types(path, len(columns), nodes)
    return [
        (column[0][0], _column_type(sql, column))
        for sql, column in zip(types, columns, strict=True)
    ]


# Files of a data set mostly have one schema, and binding a query takes longest.
_SQL_TYPES: dict[Sequence[tuple[Any, ...]], list[str]] = {}


def _sql_types(path: str, width: int, nodes: Sequence[tuple[Any, ...]]) -> list[str]:
    if nodes not in _SQL_TYPES:
        described = cursor(path).execute(f"DESCRIBE SELECT * FROM {table(path, width)}").fetchall()
        _SQL_TYPES[nodes] = [row[1] for row in described]
    return _SQL_TYPES[nodes]


def _top_level(nodes: Sequence[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """The nodes of each top-level column, itself first: the root's children, depth first."""
    index = 1
    while index < len(nodes):
        end, open_nodes = index, 1
        while open_nodes:
            open_nodes += (nodes[end][2] or 0) - 1
            end += 1
        yield list(nodes[index:end])
        index = end


def _column_type(sql: str, nodes: Sequence[tuple[Any, ...]]) -> ColumnType:
    if nodes[0][6] == "NullType()":
        return column_type.NULL
    for _, _, _, precision, scale, converted, *_ in nodes:
        if converted == "DECIMAL" and precision > _MOST_DIGITS:
            return ColumnType(f"decimal({precision},{scale})", Kind.OTHER)
    return ColumnType.parse(sql)
