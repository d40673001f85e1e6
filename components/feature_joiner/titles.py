"""Titles of the items, stored beside the histories."""

import os
from collections.abc import Iterable

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from tfx import types
from tfx.types import artifact_utils

from semantic_id_ranking.components import examples as examples_lib

_FEATURES = {"item_id": examples_lib.BYTES, "title": examples_lib.BYTES}
_SCHEMA = pa.schema([("item_id", pa.string()), ("title", pa.string())])


def write_titles(pipeline: beam.Pipeline, items: types.Artifact, directory: str) -> None:
    """Writes `titles/titles.parquet` (item_id, title) of the items that have a title, by item_id.

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
    titles = batches | "Titles" >> beam.Map(_titles)
    _ = (
        pipeline
        | "OneTitlesFile" >> beam.Create([os.path.join(directory, "titles", "titles.parquet")])
        | "WriteTitles" >> beam.Map(_write, beam.pvalue.AsIter(titles))
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


def _write(path: str, tables: Iterable[pa.Table]) -> None:
    table = pa.concat_tables([_SCHEMA.empty_table(), *tables])
    with FileSystems.create(path) as file:
        pq.write_table(table.sort_by("item_id"), file)
