"""Items and their titles, read once of ItemGen's Examples. No TFX here."""

import os
from collections.abc import Iterable
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.components.feature_joiner.read_examples import read_examples
from semantic_id_ranking.components.feature_joiner.read_examples import scalars

_TITLES = pa.schema([("item_id", pa.string()), ("title", pa.string())])


def read_items(path: str, embeddings: bool) -> Iterator[pa.Table]:
    """Reads a file of ItemGen's Examples.

    Args:
        path: The file.
        embeddings: Whether content embeddings are read.

    Yields:
        `item_id` (binary), `created_at` (int64), `title` (binary, null where there is none) and, if
        it is asked for, `embedding` (list of float32, of one length).
    """
    kinds = {"item_id": tf.string, "created_at": tf.int64, "title": tf.string}
    if embeddings:
        kinds["embedding"] = tf.float32
    for batch in read_examples(path, kinds):
        columns = {
            "item_id": pa.array(scalars(batch["item_id"], b""), pa.binary()),
            "created_at": pa.array(scalars(batch["created_at"], 0)),
            "title": pa.array(scalars(batch["title"], None), pa.binary()),
        }
        if embeddings:
            values = pa.array(batch["embedding"].values.numpy())
            width = len(values) // max(len(columns["item_id"]), 1)
            columns["embedding"] = pa.FixedSizeListArray.from_arrays(values, max(width, 1))
        yield pa.table(columns)


def write_titles(directory: str, items: Iterable[pa.Table]) -> None:
    """Writes `titles/titles.parquet` (item_id, title) of the items that have a title, by item_id.

    They are for people who look at a ranking.

    Args:
        directory: The folder of the state.
        items: What `read_items` reads.
    """
    parts = [_TITLES.empty_table()]
    for part in items:
        rows = zip(part["item_id"].to_pylist(), part["title"].to_pylist(), strict=True)
        found = [(item.decode(), title.decode(errors="replace")) for item, title in rows if title]
        columns = [list(column) for column in zip(*found, strict=True)] or [[], []]
        parts.append(pa.table(columns, _TITLES))
    with FileSystems.create(os.path.join(directory, "titles", "titles.parquet")) as file:
        pq.write_table(pa.concat_tables(parts).sort_by("item_id"), file)
