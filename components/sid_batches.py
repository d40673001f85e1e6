"""Parquet tables of Semantic IDs, read batch by batch from any row on."""

import hashlib
import os
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.components import sid_table
from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet import lists
from semantic_id_ranking.components.parquet.columns import ids
from semantic_id_ranking.components.parquet.place import Place
from semantic_id_ranking.components.parquet.row_group import list_files
from semantic_id_ranking.components.parquet.row_group import read_schema
from semantic_id_ranking.components.parquet.row_group import row_groups
from semantic_id_ranking.components.parquet.row_group import RowGroup
from semantic_id_ranking.trainer.sid_space import SidSpace
from semantic_id_ranking.trainer.sid_space import SidSpaceMismatchError

_COLUMNS = {"item_id": "the id of the item", "sid": "its Semantic ID"}


@dataclass(frozen=True)
class SidBatches:
    """A table of Semantic IDs, checked while it is read.

    Attributes:
        source: Names the files and their state; changed files have another name.
        space: The SID space.
        groups: The row groups, in order.
    """

    source: str
    space: SidSpace
    groups: Sequence[RowGroup]

    @property
    def rows(self) -> int:
        """Number of items."""
        return sum(group.rows for group in self.groups)

    @classmethod
    def open(cls, path: str) -> "SidBatches":
        """Looks at the files.

        Args:
            path: A folder of `*.parquet`, or path or pattern of such files.

        Raises:
            InputError: There is none, one is no table of Semantic IDs, or two are of two spaces.
        """
        try:
            paths = sid_table.files(path) if os.path.isdir(path) else list_files(path)
            schemas = [read_schema(one, _COLUMNS) for one in paths]
            spaces = [_space(one, schema) for one, schema in zip(paths, schemas, strict=True)]
            for one, space in zip(paths, spaces, strict=True):
                spaces[0].require_same(space, paths[0], one)
        except (FileNotFoundError, SidSpaceMismatchError) as error:
            raise InputError(f"{error}.") from error
        except RuntimeError as error:  # Of pyarrow_hotfix.
            raise InputError(f"{path}: {sid_table.HIDDEN_CODE}.") from error
        return cls(_state(paths), spaces[0], row_groups(paths))

    def read(self, start: int, batch_rows: int) -> Iterator[tuple[list[str], np.ndarray]]:
        """Streams the table.

        Args:
            start: The first row wanted.
            batch_rows: Rows in a batch, at most.

        Yields:
            Item ids [n], Semantic IDs int32 [n, L].

        Raises:
            InputError: An id is missing, or a Semantic ID is not of the space.
        """
        for group in self.groups:
            if start >= group.rows:
                start -= group.rows
                continue
            for row, batch in group.read(_COLUMNS, batch_rows):
                skipped = min(start, batch.num_rows)
                start -= skipped
                if skipped < batch.num_rows:
                    yield self._parse(group.path, row + skipped, batch.slice(skipped))

    def _parse(self, path: str, row: int, batch: pa.RecordBatch) -> tuple[list[str], np.ndarray]:
        item_ids = ids(batch.column("item_id"), Place(path, "item_id", row))
        return item_ids.cast(pa.large_string()).to_pylist(), self._sids(
            batch.column("sid"), Place(path, "sid", row)
        )

    def _sids(self, column: pa.Array, place: Place) -> np.ndarray:
        levels, codes = self.space.levels, self.space.codebook_size
        if not lists.is_list(column.type) or not pa.types.is_integer(column.type.value_type):
            raise place.type_error(column.type, "a list of integers")
        lengths = lists.list_lengths(column)
        if (lengths != levels).any():
            index = int((lengths != levels).argmax())
            raise place.error(index, str(column[index].as_py()), f"{levels} codes")
        flat = column.flatten()
        # A null, which NumPy has no integer for, is out of range too.
        sids = flat.fill_null(-1).to_numpy(zero_copy_only=False).reshape(-1, levels)
        wrong = ((sids < 0) | (sids >= codes)).any(axis=1)
        if wrong.any():
            index = int(wrong.argmax())
            raise place.error(index, str(column[index].as_py()), f"codes 0 .. {codes - 1}")
        return sids.astype(np.int32, copy=False)


def _space(path: str, schema: pa.Schema) -> SidSpace:
    try:
        return sid_table.space_of(schema)
    except ValueError as error:
        raise InputError(f"{path}: {error}.") from error


def _state(paths: Sequence[str]) -> str:
    files = [file for match in FileSystems.match(list(paths)) for file in match.metadata_list]
    states = [(file.path, file.size_in_bytes, file.last_updated_in_seconds) for file in files]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]
