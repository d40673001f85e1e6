"""Items of the join: Semantic IDs, creation times and embeddings."""

import dataclasses
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.feature_joiner import encode_examples

_DAY = 86_400_000_000
_UNKNOWN = np.iinfo(np.int64).min


@dataclasses.dataclass(frozen=True)
class ItemTable:
    """N items by their id, in the order of the ids; row N of a table stands for no item.

    Its tables are made once, so a batch of impressions touches the rows that it has and no others.

    Attributes:
        ids: Index of N item ids (bytes): those with a Semantic ID, and those of an earlier state.
        sids: [N + 1, L] int32; -1 where there is no Semantic ID.
        created_at: [N] int64, microseconds since 1970; the smallest number where it is not known.
        embeddings: [N + 1, D] float32, the content embeddings, zero where there is none; None where
            they are not joined.
        names: Binary [N + 1], the ids; the empty one of no item.
        encoded_names: Binary [N + 1], their payloads in an Example.
        encoded_sids: Binary [N + 1], the payloads of the Semantic IDs.
    """

    ids: pd.Index
    sids: np.ndarray
    created_at: np.ndarray
    embeddings: np.ndarray | None
    names: pa.BinaryArray
    encoded_names: pa.BinaryArray
    encoded_sids: pa.BinaryArray

    @classmethod
    def of(
        cls,
        ids: pd.Index,
        sids: np.ndarray,
        created_at: np.ndarray,
        embeddings: np.ndarray | None = None,
    ) -> "ItemTable":
        """A table of N items.

        Args:
            ids: N item ids (bytes), ascending.
            sids: [N, L] int32.
            created_at: [N] int64.
            embeddings: [N, D] float32, if they are joined.
        """
        names = pa.array([*ids, b""], pa.binary())
        sids = np.concatenate([sids, np.full((1, sids.shape[1]), -1)]).astype(np.int32)
        if embeddings is not None:
            embeddings = np.concatenate([embeddings, np.zeros((1, embeddings.shape[1]))])
            embeddings = embeddings.astype(np.float32)
        return cls(
            ids,
            sids,
            created_at,
            embeddings,
            names,
            encode_examples.strings(names),
            encode_examples.integers(sids),
        )

    def find(self, item_ids: np.ndarray) -> np.ndarray:
        """Rows [n] of item ids [n] (bytes); -1 for an item that the table does not have."""
        return self.ids.get_indexer(item_ids)

    def has_sid(self, rows: np.ndarray) -> np.ndarray:
        """Whether items [n] (rows; -1 is none) have a Semantic ID, bool [n]."""
        return self.sids[rows, 0] >= 0

    def ages(self, rows: np.ndarray, timestamp: np.ndarray | int) -> np.ndarray:
        """Ages in days, float64 [n], of items [n] (rows) at times [n] (microseconds since 1970).

        An item that the log has before it was created is of age 0; NaN where it is not known when
        it was created.
        """
        created = self.created_at[rows]
        ages = np.maximum(timestamp - created, 0) / _DAY
        return np.where(created == _UNKNOWN, np.nan, ages)


def build_item_table(
    _: None,
    sid_tables: Iterable[pa.Table],
    items: Iterable[pa.Table],
    state_items: Iterable[tuple[np.ndarray, np.ndarray]],
) -> ItemTable:
    """Puts the Semantic IDs, the items' times and the items of an earlier state together.

    Args:
        sid_tables: (item_id, sid), from SemanticIdGen: all items that ever had a Semantic ID.
        items: What `read_items` reads.
        state_items: Ids (bytes) of the items that the state counts, and when they were created. An
            item was created at the earliest time that was ever said: where no file says it, its
            first impression stands for it, which may be in an earlier log.

    Raises:
        ValueError: An item has no Semantic ID.
    """
    table = pa.concat_tables(sid_tables).combine_chunks()
    coded = table["item_id"].combine_chunks().cast(pa.binary())
    codes = np.concatenate([chunk.flatten().to_numpy() for chunk in table["sid"].chunks])
    codes = codes.reshape(len(coded), -1)
    # In whatever order a runner delivers them, the table is the same.
    counted = list(state_items)
    every = pc.unique(pa.concat_arrays([coded, *(pa.array(i, pa.binary()) for i, _ in counted)]))
    ids = pd.Index(every.take(pc.sort_indices(every)).to_numpy(zero_copy_only=False))
    sids = np.full((len(ids), codes.shape[1]), -1, np.int32)
    sids[ids.get_indexer(coded.to_numpy(zero_copy_only=False))] = codes

    created_at = np.full(len(ids), _UNKNOWN)
    embeddings = None
    for part in items:
        names = part["item_id"].to_numpy()
        rows = ids.get_indexer(names)
        without = (rows < 0) | (sids[rows, 0] < 0)
        if without.any():
            raise ValueError(
                f"item {names[without][0].decode()!r} has no Semantic ID; make those of these items"
            )
        created_at[rows] = part["created_at"].to_numpy()
        if "embedding" in part.column_names:
            values = part["embedding"].combine_chunks().flatten().to_numpy()
            values = values.reshape(len(rows), -1)
            if embeddings is None:
                embeddings = np.zeros((len(ids), values.shape[1]), np.float32)
            embeddings[rows] = values
    for names, created in counted:
        rows = ids.get_indexer(names)
        today = created_at[rows]
        unknown = (today == _UNKNOWN) | (created == _UNKNOWN)
        created_at[rows] = np.where(unknown, np.maximum(today, created), np.minimum(today, created))
    return ItemTable.of(ids, sids, created_at, embeddings)
