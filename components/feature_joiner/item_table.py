"""Table of the items' Semantic IDs, times and embeddings for the join."""

import dataclasses
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from semantic_id_ranking.components import examples as examples_lib

_DAY = 86_400_000_000


@dataclasses.dataclass(frozen=True)
class ItemTable:
    """Items by their id, in the order of the ids.

    Attributes:
        ids: Index of N item ids (bytes).
        sids: [N, L] int32.
        created_at: [N] int64, microseconds since 1970.
        embeddings: [N, D] float32, the content embeddings, or None where they are not joined.
    """

    ids: pd.Index
    sids: np.ndarray
    created_at: np.ndarray
    embeddings: np.ndarray | None = None

    def find(self, item_ids: np.ndarray) -> np.ndarray:
        """Rows [n] of item ids [n] (bytes); -1 for an unknown item."""
        return self.ids.get_indexer(item_ids)

    def ages(self, rows: np.ndarray, timestamp: np.ndarray | int) -> np.ndarray:
        """Ages in days, float64 [n], of items [n] (rows) at times [n] (microseconds since 1970).

        An item that the log shows before it was created is of age 0.
        """
        return np.maximum(timestamp - self.created_at[rows], 0) / _DAY


def build_item_table(
    _: None, sid_tables: Iterable[pa.Table], item_batches: Iterable[pa.RecordBatch]
) -> ItemTable:
    """Puts the Semantic IDs and the items' times together.

    Args:
        sid_tables: (item_id, sid), from SemanticIdGen.
        item_batches: `item_id`, `created_at` and, where it is to be joined, `embedding` of the
            items' Examples.

    Raises:
        ValueError: An item has no Semantic ID, or a Semantic ID no item.
    """
    ids, created, embeddings = [], [], []
    for batch in item_batches:
        ids.append(examples_lib.scalars(batch, "item_id", b""))
        created.append(examples_lib.scalars(batch, "created_at", 0))
        if "embedding" in batch.schema.names:
            embeddings.append(examples_lib.matrix(batch, "embedding"))
    table = pa.concat_tables(sid_tables).combine_chunks()
    sid_ids = pd.Index(np.array([i.encode() for i in table["item_id"].to_pylist()], object))
    codes = table["sid"].combine_chunks()
    codes = codes.chunk(0) if isinstance(codes, pa.ChunkedArray) else codes
    sids = codes.flatten().to_numpy().reshape(len(sid_ids), -1)
    index = pd.Index(np.concatenate(ids))
    # In whatever order a runner delivers them, the table is the same.
    order = index.argsort()
    index = index[order]
    rows = sid_ids.get_indexer(index)
    if len(index) != len(sid_ids) or (rows < 0).any():
        raise ValueError(
            f"{len(index)} items but {len(sid_ids)} Semantic IDs; make them of these items"
        )
    return ItemTable(
        index,
        sids[rows].astype(np.int32),
        np.concatenate(created).astype(np.int64)[order],
        np.concatenate(embeddings).astype(np.float32)[order] if embeddings else None,
    )
