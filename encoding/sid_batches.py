"""Parquet tables of Semantic IDs, read batch by batch from any row on."""

import hashlib
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.inputs import columns
from semantic_id_ranking.inputs import lists
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import Block
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.data_set import Slice
from semantic_id_ranking.inputs.rejects import Reject

_COLUMNS = {"item_id": ("item_id", uses.IDS), "sid": ("sid", uses.SIDS)}


@dataclass(frozen=True)
class SidBatches:
    """A table of Semantic IDs, checked while it is read.

    Attributes:
        source: Names the files and their state; changed files have another name.
        space: The SID space.
        data: The files.
    """

    source: str
    space: SidSpace
    data: DataSet

    @property
    def rows(self) -> int:
        """Number of items."""
        return self.data.rows

    @classmethod
    def open(cls, path: str) -> "SidBatches":
        """Looks at the files.

        Args:
            path: A folder, a file, or a pattern of files.

        Raises:
            InputError: There is none, one is no table of Semantic IDs, or two are of two spaces.
        """
        data = DataSet.open(path)
        data.require("item_id", uses.IDS, "the id of the item")
        data.require("sid", uses.SIDS, "its Semantic ID")
        paths = [file.path for file in data.files]
        try:
            spaces = [_space(one) for one in paths]
            for one, space in zip(paths, spaces, strict=True):
                spaces[0].require_same(space, paths[0], one)
        except SidSpaceMismatchError as error:
            raise InputError(f"{error}.") from error
        except RuntimeError as error:  # Of pyarrow_hotfix.
            raise InputError(f"{path}: {sid_table.HIDDEN_CODE}.") from error
        return cls(state_of_files(paths), spaces[0], data)

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
        slices = []
        for file in self.data.files:
            if start < file.rows:
                slices.append(Slice(file, max(start, 0), file.rows))
            start -= file.rows
        for path, row, batch in Block(0, tuple(slices)).read(_COLUMNS, batch_rows):
            yield self._parse(path, row, batch)

    def _parse(self, path: str, row: int, batch: pa.RecordBatch) -> tuple[list[str], np.ndarray]:
        item_ids, bad = columns.ids(batch.column("item_id"))
        for index, what in bad.items():
            raise Reject(path, row + index, None, "item_id", *what).error()
        sids, bad = self._sids(batch.column("sid"))
        for index, what in bad.items():
            raise Reject(path, row + index, None, "sid", *what).error()
        return item_ids.cast(pa.large_string()).to_pylist(), sids

    def _sids(self, column: pa.Array) -> tuple[np.ndarray, columns.Bad]:
        levels, codes = self.space.levels, self.space.codebook_size
        lengths = lists.list_lengths(column)
        if (lengths != levels).any():
            index = int((lengths != levels).argmax())
            return np.empty((0, levels)), {index: (str(column[index].as_py()), f"{levels} codes")}
        # A null, which NumPy has no integer for, is out of range too.
        sids = column.flatten().fill_null(-1).to_numpy().reshape(-1, levels)
        wrong = ((sids < 0) | (sids >= codes)).any(axis=1)
        if wrong.any():
            index = int(wrong.argmax())
            return sids, {index: (str(column[index].as_py()), f"codes 0 .. {codes - 1}")}
        return sids.astype(np.int32), {}


def _space(path: str) -> SidSpace:
    try:
        return sid_table.space_of(sid_table.read_schema(path))
    except ValueError as error:
        raise InputError(f"{path}: {error}.") from error


def state_of_files(paths: Sequence[str]) -> str:
    """A name of files and their state: changed files have another one."""
    files = [file for match in FileSystems.match(list(paths)) for file in match.metadata_list]
    states = [(file.path, file.size_in_bytes, file.last_updated_in_seconds) for file in files]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]
