"""Checks of a batch of items: the good ones as arrays, the bad ones with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from semantic_id_ranking.inputs import columns
from semantic_id_ranking.inputs import lists
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.rejects import Reject
from semantic_id_ranking.inputs.uses import Use


@dataclass(frozen=True)
class ItemCheck:
    """Checks batches of items.

    Attributes:
        id_column: Column of ids.
        embedding_column: Column of content embeddings.
        dim: Length that an embedding must have.
    """

    id_column: str
    embedding_column: str
    dim: int

    @property
    def columns(self) -> Mapping[str, tuple[str, Use]]:
        """The columns that a batch has to hold."""
        return {
            "item_id": (self.id_column, uses.IDS),
            "embedding": (self.embedding_column, uses.EMBEDDINGS),
        }

    def __call__(
        self, path: str, row: int, batch: pa.RecordBatch
    ) -> tuple[np.ndarray, np.ndarray, list[Reject]]:
        """Checks a batch.

        Args:
            path: The file.
            row: Row of the file that the batch begins with.
            batch: The two columns.

        Returns:
            Ids [n] object (str) and embeddings float32 [n, D] of the good items; the bad ones.
        """
        texts, bad_ids = parse_ids(batch.column("item_id"))
        embeddings, bad_embeddings = lists.embeddings(
            batch.column("embedding"), self.dim, "the length that the model takes"
        )
        if not bad_ids and not bad_embeddings:
            return texts, embeddings, []
        with_embedding = np.ones(len(texts), bool)
        with_embedding[list(bad_embeddings)] = False
        with_id = np.ones(len(texts), bool)
        with_id[list(bad_ids)] = False
        found = {i: (self.embedding_column, *what) for i, what in bad_embeddings.items()}
        found |= {i: (self.id_column, *what) for i, what in bad_ids.items()}
        rejects = [
            Reject(path, row + index, texts[index] or None, *what)
            for index, what in sorted(found.items())
        ]
        return texts[with_embedding & with_id], embeddings[with_id[with_embedding]], rejects


def parse_ids(column: pa.Array) -> tuple[np.ndarray, columns.Bad]:
    """Ids of items.

    Args:
        column: Binary.

    Returns:
        Ids [rows] object (str), "" for a bad one; and the bad ones.
    """
    values, bad = columns.ids(column)
    if bad:
        good = np.ones(len(values), bool)
        good[list(bad)] = False
        values = pa.array(values.to_pylist(), pa.large_binary(), mask=~good).fill_null(b"")
    return values.cast(pa.large_string()).to_numpy(zero_copy_only=False), bad
