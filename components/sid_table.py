"""Parquet tables of Semantic IDs: their schema, and reading them whole."""

import dataclasses
import glob
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trainer.sid_space import SidSpace

_SPACE_KEY = b"sid_space"


def schema(space: SidSpace) -> pa.Schema:
    """The Arrow schema of a table of Semantic IDs in a space."""
    return pa.schema(
        [("item_id", pa.string()), ("sid", pa.list_(pa.int32()))],
        metadata={_SPACE_KEY: json.dumps(dataclasses.asdict(space))},
    )


def space_of(table_schema: pa.Schema) -> SidSpace:
    """The space that a table's schema names.

    Raises:
        ValueError: It names none.
    """
    metadata = table_schema.metadata or {}
    if _SPACE_KEY not in metadata:
        raise ValueError("the table names no SID space; make it with SemanticIdGen or `sid encode`")
    return SidSpace(**json.loads(metadata[_SPACE_KEY]))


def read(directory: str) -> tuple[np.ndarray, np.ndarray, SidSpace]:
    """Reads a table whole.

    Args:
        directory: Holds `*.parquet`; or the path of one such file.

    Returns:
        Item ids [N] object (str), Semantic IDs [N, L] int32, and their space.

    Raises:
        FileNotFoundError: There is no file.
        SidSpaceMismatchError: Its files come from two spaces.
    """
    paths = sorted(glob.glob(os.path.join(directory, "*.parquet")))
    if not paths and os.path.isfile(directory):
        paths = [directory]
    if not paths:
        raise FileNotFoundError(f"{directory}: holds no Parquet file of Semantic IDs")
    tables = [pq.read_table(path) for path in paths]
    space = space_of(tables[0].schema)
    for path, table in zip(paths, tables, strict=True):
        space.require_same(space_of(table.schema), paths[0], path)
    table = pa.concat_tables(tables)
    ids = table["item_id"].to_numpy()
    sids = pa.concat_arrays([chunk.flatten() for chunk in table["sid"].chunks])
    return ids, sids.to_numpy().reshape(-1, space.levels), space
