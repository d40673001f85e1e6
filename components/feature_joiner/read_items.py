"""Items and their titles, read once of ItemGen's Examples. No TFX here."""

import os
from collections.abc import Iterable
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
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


def write_titles(directory: str, items: Iterable[pa.Table], earlier: str | None = None) -> None:
    """Writes `titles/titles.parquet` (item_id, title) of the items that have a title, by item_id.

    They are for people who look at a ranking.

    Args:
        directory: The folder of the state.
        items: What `read_items` reads.
        earlier: The folder of the state before, whose titles items keep that are gone since; or
            None.
    """
    parts = [_TITLES.empty_table()]
    today = []
    for part in items:
        today += part["item_id"].cast(pa.string()).chunks
        part = part.filter(pc.greater(pc.binary_length(part["title"]), 0))
        titles = [title.decode(errors="replace") for title in part["title"].to_pylist()]
        parts.append(pa.table([part["item_id"].cast(pa.string()), titles], _TITLES))
    if earlier is not None:
        with FileSystems.open(_titles_file(earlier)) as file:
            before = pq.ParquetFile(pa.BufferReader(file.read())).read()
        ids = pa.chunked_array(today, pa.string())
        parts.append(before.filter(pc.invert(pc.is_in(before["item_id"], value_set=ids))))
    with FileSystems.create(_titles_file(directory)) as file:
        pq.write_table(pa.concat_tables(parts).sort_by("item_id"), file)


def _titles_file(state: str) -> str:
    return os.path.join(state, "titles", "titles.parquet")
