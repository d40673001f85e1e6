"""Items of a batch, checked one by one: the good ones as arrays, the bad ones with a reason."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet import lists
from semantic_id_ranking.components.parquet.columns import optional_ids
from semantic_id_ranking.components.parquet.place import Place

#: Of the file of rejects.
REJECTS = pa.schema(
    [("item_id", pa.string()), ("file", pa.string()), ("row", pa.int64()), ("reason", pa.string())]
)


@dataclass(frozen=True)
class Reject:
    """A bad item.

    Attributes:
        row: Row of the file, counted from 0.
        item_id: Its id; None if that is what is wrong.
        reason: Column, what was found there and what was expected.
        error: The same as an error, which names the file and the row too.
    """

    row: int
    item_id: str | None
    reason: str
    error: InputError


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

        Raises:
            InputError: A column has the wrong type.
        """
        texts, bad_ids = parse_ids(batch.column(self.id_column), Place(path, self.id_column, row))
        vectors = batch.column(self.embedding_column)
        lists.check_embedding_type(vectors.type, Place(path, self.embedding_column, row))
        embeddings, bad_embeddings = lists.parse_embeddings(
            vectors, self.dim, "the length that the model takes"
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
            _reject(Place(path, column, row), index, texts[index], value, expected)
            for index, (column, value, expected) in sorted(found.items())
        ]
        return texts[with_embedding & with_id], embeddings[with_id[with_embedding]], rejects


def parse_ids(column: pa.Array, place: Place) -> tuple[np.ndarray, dict[int, tuple[str, str]]]:
    """Ids of items.

    Args:
        column: Strings or integers.
        place: Where the column comes from.

    Returns:
        Ids [rows] object (str), "" for a bad one; and position of each bad one to what was found
        and what was expected.

    Raises:
        InputError: Another type.
    """
    ids = optional_ids(column, place)
    texts = ids.cast(pa.large_string()).to_numpy(zero_copy_only=False)
    empty = pc.equal(pc.binary_length(ids), 0).to_numpy(zero_copy_only=False)
    null = column.is_null()
    return texts, {
        index: ("null" if null[index].as_py() else "an empty string", "an id")
        for index in np.flatnonzero(empty).tolist()
    }


def _reject(place: Place, index: int, item_id: str, found: str, expected: str) -> Reject:
    return Reject(
        row=place.row + index,
        item_id=item_id or None,
        reason=f"column {place.column!r}: found {found}, expected {expected}",
        error=place.error(index, found, expected, item_id),
    )
