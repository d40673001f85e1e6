"""Parquet tables of Semantic IDs: their schema, and reading them whole or in batches."""

import dataclasses
import glob
import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow_hotfix  # noqa: F401  CVE-2023-47248
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace

#: Column that tells whether an item's content embedding is still the one that was encoded.
DIGEST = "embedding_digest"
#: What is wrong with a file that pyarrow_hotfix refuses.
HIDDEN_CODE = (
    "a column has the Arrow extension type arrow.py_extension_type, which would run code that the "
    "file holds; write the column without it"
)
_SPACE_KEY = b"sid_space"
_BATCH_ROWS = 65536


def schema(space: SidSpace) -> pa.Schema:
    """The columns that every table of Semantic IDs in a space has."""
    return pa.schema(
        [("item_id", pa.string()), ("sid", pa.list_(pa.int32()))],
        metadata={_SPACE_KEY: json.dumps(dataclasses.asdict(space))},
    )


def schema_with_digests(space: SidSpace) -> pa.Schema:
    """`schema` and the column of digests, which SemanticIdGen and `sid encode` write."""
    return schema(space).append(pa.field(DIGEST, pa.int64()))


def to_table(
    item_ids: NDArray[Any], sids: NDArray[Any], digests: NDArray[Any], space: SidSpace
) -> pa.Table:
    """A table of Semantic IDs.

    Args:
        item_ids: [n] object (str).
        sids: int32 [n, L].
        digests: int64 [n], as `digest` makes them.
        space: The space of the Semantic IDs.
    """
    offsets = pa.array(np.arange(len(sids) + 1, dtype=np.int32) * space.levels)
    codes = pa.ListArray.from_arrays(offsets, pa.array(sids.reshape(-1), pa.int32()))
    return pa.Table.from_arrays(
        [pa.array(item_ids, pa.string()), codes, pa.array(digests, pa.int64())],
        schema=schema_with_digests(space),
    )


def digest(embeddings: NDArray[Any]) -> NDArray[Any]:
    """Digests of content embeddings: the first 64 bits of the SHA-256 of their bytes.

    Args:
        embeddings: float32 [n, D].

    Returns:
        int64 [n].
    """
    rows = np.ascontiguousarray(embeddings, "<f4")
    digests = b"".join(hashlib.sha256(row).digest()[:8] for row in rows)
    return np.frombuffer(digests, "<i8")


def space_of(table_schema: pa.Schema) -> SidSpace:
    """The space that a table's schema names.

    Raises:
        ValueError: It names none.
    """
    metadata = table_schema.metadata or {}
    if _SPACE_KEY not in metadata:
        raise ValueError("the table names no SID space; make it with SemanticIdGen or `sid encode`")
    return SidSpace.from_json(metadata[_SPACE_KEY])


def files(directory: str) -> list[str]:
    """The files of a table, sorted.

    Args:
        directory: Holds `*.parquet`; or the path of one such file.

    Raises:
        FileNotFoundError: There is no file.
    """
    paths = sorted(glob.glob(os.path.join(glob.escape(directory), "*.parquet")))
    if not paths and os.path.isfile(directory):
        paths = [directory]
    if not paths:
        raise FileNotFoundError(f"{directory}: holds no Parquet file of Semantic IDs")
    return paths


def read_schema(path: str) -> pa.Schema:
    """The schema of one file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not Parquet, or has an extension type that would run code.
    """
    try:
        return pq.read_schema(path)
    except RuntimeError as error:  # Of pyarrow_hotfix, over many lines.
        raise ValueError(HIDDEN_CODE) from error


def read_batches(paths: list[str]) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Streams a table that has digests.

    Args:
        paths: Its files.

    Yields:
        Item ids [n] object (str), Semantic IDs int32 [n, L], digests int64 [n].
    """
    for path in paths:
        with pq.ParquetFile(path) as file:
            levels = space_of(file.schema_arrow).levels
            for batch in file.iter_batches(_BATCH_ROWS, columns=["item_id", "sid", DIGEST]):
                item_ids, sids, digests = batch.columns
                yield (
                    item_ids.to_numpy(zero_copy_only=False),
                    sids.flatten().to_numpy().reshape(-1, levels),
                    digests.to_numpy(),
                )


def read(directory: str) -> tuple[NDArray[Any], NDArray[Any], SidSpace]:
    """Reads a table whole.

    Args:
        directory: Holds `*.parquet`; or the path of one such file.

    Returns:
        Item ids [N] object (str), Semantic IDs [N, L] int32, and their space.

    Raises:
        FileNotFoundError: There is no file.
        SidSpaceMismatchError: Its files come from two spaces.
    """
    paths = files(directory)
    # Not read_table(path): it takes a folder's name such as "a=b" for a column.
    tables = [pq.ParquetFile(path).read(["item_id", "sid"]) for path in paths]
    space = space_of(tables[0].schema)
    for path, table in zip(paths, tables, strict=True):
        space.require_same(space_of(table.schema), paths[0], path)
    table = pa.concat_tables(tables)
    ids = table["item_id"].to_numpy()
    codes = [np.empty(0, np.int32), *(c.flatten().to_numpy() for c in table["sid"].chunks)]
    return ids, np.concatenate(codes).reshape(-1, space.levels), space
