"""One data set of Parquet files: its files, columns, types and rows."""

import dataclasses
import os
from collections.abc import Iterator
from collections.abc import Sequence

import pyarrow as pa

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import column_type
from semantic_id_ranking.inputs.column_type import ColumnType
from semantic_id_ranking.inputs.files import FilePath
from semantic_id_ranking.inputs.files import list_files
from semantic_id_ranking.inputs.parquet_file import open_file
from semantic_id_ranking.inputs.parquet_file import ParquetFile
from semantic_id_ranking.inputs.read import Columns
from semantic_id_ranking.inputs.read import read
from semantic_id_ranking.inputs.uses import CARRIED
from semantic_id_ranking.inputs.uses import Use


@dataclasses.dataclass(frozen=True)
class Slice:
    """Rows of a file.

    Attributes:
        file: The file.
        begin: Row that the slice begins with, counted from 0.
        end: Row before which it ends.
    """

    file: ParquetFile
    begin: int
    end: int


@dataclasses.dataclass(frozen=True)
class Block:
    """Rows that one worker reads.

    Attributes:
        number: Counted from 0.
        slices: Where the rows are, in order.
    """

    number: int
    slices: tuple[Slice, ...]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(piece.end - piece.begin for piece in self.slices)

    def read(
        self, columns: Columns, batch_rows: int = 8192
    ) -> Iterator[tuple[str, int, pa.RecordBatch]]:
        """Streams columns.

        Args:
            columns: Name of each column of the batches, to the column of the files and its use.
            batch_rows: Rows in a batch, at most.

        Yields:
            The file, the row of the file that a batch begins with, and the batch.

        Raises:
            InputError: The data are damaged.
        """
        for piece in self.slices:
            yield from read(piece.file, piece.begin, piece.end, columns, batch_rows)


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Files that exist and are Parquet; rows and columns are theirs together.

    Attributes:
        name: What the user named, for messages.
        files: The files, sorted by path.
    """

    name: str
    files: tuple[ParquetFile, ...]

    @classmethod
    def open(cls, paths: str | Sequence[str]) -> "DataSet":
        """Looks at files.

        Args:
            paths: As `list_files` takes them.

        Raises:
            InputError: There is none, one is not Parquet, or they hold no rows.
        """
        named = [paths] if isinstance(paths, str) else paths
        name = ", ".join(path if "://" in path else os.path.abspath(path) for path in named)
        return cls.of_files(name, list_files(paths))

    @classmethod
    def of_files(cls, name: str, paths: Sequence[FilePath]) -> "DataSet":
        """Looks at files that `list_files` found."""
        data = cls(name, tuple(open_file(path) for path in paths))
        if not data.rows:
            raise InputError(f"{name}: holds no rows, expected at least one.")
        return data

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(file.rows for file in self.files)

    @property
    def columns(self) -> list[str]:
        """Names of the columns that any file has, in the order of their first file."""
        return list(dict.fromkeys(name for file in self.files for name in file.columns))

    def has(self, column: str | None) -> bool:
        """Whether any file has a column."""
        return column is not None and any(column in file.columns for file in self.files)

    def require(self, column: str, use: Use, purpose: str, everywhere: bool = True) -> None:
        """Checks a column that is configured.

        Args:
            column: Its name.
            use: What it is used for.
            purpose: The same for people, as in "the label of task 'click'".
            everywhere: Whether every file must have it, not one file at least.

        Raises:
            InputError: It is missing, cannot be read as what it is, or has two types.
        """
        having = [file for file in self.files if column in file.columns]
        lacking = [file for file in self.files if column not in file.columns]
        if not having or (everywhere and lacking):
            example = having[0] if having else None
            elsewhere = (
                f"; {example.path} has it, expected it in every file"
                if example
                else (
                    f"; the file's columns are {', '.join(lacking[0].columns)} (the configuration "
                    "names the columns, most of them under `columns:`)"
                )
            )
            raise InputError(
                f"{lacking[0].path}: column {column!r} ({purpose}) is missing{elsewhere}."
            )
        groups: dict[str, ParquetFile] = {}
        for file in having:
            kind = file.columns[column].type
            reading = use.read(kind)
            if reading is None:
                raise InputError(
                    f"{file.path}: column {column!r}: found the type {kind}, expected "
                    f"{use.expected}."
                )
            if reading.group != "null":
                groups.setdefault(reading.group, file)
        if len(groups) > 1:
            first, second = list(groups.values())[:2]
            raise InputError(
                f"{second.path}: column {column!r}: found the type {second.columns[column].type}, "
                f"but {first.columns[column].type} in {first.path}; expected one type in all files."
            )

    def unlike(self, columns: Sequence[str]) -> list[str]:
        """Says which of some columns only some files have.

        Returns:
            A sentence a column.
        """
        notes = []
        for column in columns:
            lacking = [file for file in self.files if column not in file.columns]
            if lacking and len(lacking) < len(self.files):
                notes.append(
                    f"{lacking[0].path}: column {column!r} is missing here, and in {len(lacking)} "
                    f"of {len(self.files)} files in all; it is null there."
                )
        return notes

    def carried(self, but: Sequence[str]) -> tuple[list[str], list[str]]:
        """Columns that are not configured, and become features under their own names.

        Args:
            but: Columns that are left out without a word.

        Returns:
            The columns that can be carried along; and a sentence on each one that cannot.
        """
        carried, notes = [], []
        for column in self.columns:
            if column in but:
                continue
            of_group: dict[str | None, ColumnType] = {}
            for file in self.files:
                kind = file.columns[column].type if column in file.columns else column_type.NULL
                reading = CARRIED.read(kind)
                group = reading.group if reading else None
                if group != "null":
                    of_group.setdefault(group, kind)
            if None in of_group:
                notes.append(
                    f"{self.name}: column {column!r} is left out: found the type "
                    f"{of_group[None]}, expected {CARRIED.expected}."
                )
            elif len(of_group) > 1:
                found = " and ".join(str(kind) for kind in of_group.values())
                notes.append(
                    f"{self.name}: column {column!r} is left out: found the types {found} in "
                    "different files, expected one."
                )
            else:
                carried.append(column)
        return carried, notes

    def blocks(self, rows: int) -> list[Block]:
        """Splits the rows, in the order of the files, into blocks.

        Args:
            rows: Rows of every block but the last, whatever the files' sizes and row groups.
        """
        blocks: list[Block] = []
        slices: list[Slice] = []
        left = rows
        for file in self.files:
            row = 0
            while row < file.rows:
                end = min(file.rows, row + left)
                slices.append(Slice(file, row, end))
                left -= end - row
                row = end
                if not left:
                    blocks.append(Block(len(blocks), tuple(slices)))
                    slices, left = [], rows
        if slices:
            blocks.append(Block(len(blocks), tuple(slices)))
        return blocks
