"""Titles of the items, beside the histories, for people who look at a ranking."""

import os

import apache_beam as beam
import pyarrow as pa
from tfx import types
from tfx.types import artifact_utils

from semantic_id_ranking.components import examples as examples_lib

_FEATURES = {"item_id": examples_lib.BYTES, "title": examples_lib.BYTES}
_SCHEMA = pa.schema([("item_id", pa.string()), ("title", pa.string())])


def write_titles(pipeline: beam.Pipeline, items: types.Artifact, directory: str) -> None:
    """Writes `titles/*.parquet` (item_id, title) of the items that have a title.

    Args:
        pipeline: Where to do it.
        items: Examples with `item_id` and, where there is any, `title`.
        directory: The folder of the histories.
    """
    batches = [
        pipeline
        | f"ReadTitles[{split}]"
        >> examples_lib.read_batches(examples_lib.split_pattern(items, split), _FEATURES)
        for split in artifact_utils.decode_split_names(items.split_names)
    ] | "FlattenTitles" >> beam.Flatten()
    _ = (
        batches
        | "Titles" >> beam.Map(_titles)
        | "WriteTitles"
        >> beam.io.WriteToParquetBatched(
            os.path.join(directory, "titles", "titles"), _SCHEMA, file_name_suffix=".parquet"
        )
    )


def _titles(batch: pa.RecordBatch) -> pa.Table:
    item_ids = examples_lib.scalars(batch, "item_id", b"")
    titles = examples_lib.scalars(batch, "title", b"")
    rows = [
        (item.decode(), title.decode(errors="replace"))
        for item, title in zip(item_ids, titles, strict=True)
        if title
    ]
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[], []], _SCHEMA)
