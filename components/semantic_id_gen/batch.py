"""Semantic IDs of a Parquet file of items, without TFX around it."""

from collections.abc import Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.parquet import lists
from components.parquet.columns import ids
from components.parquet.items import check_unique
from components.parquet.place import Place
from components.parquet.row_group import list_files
from components.parquet.row_group import read_schema
from components.parquet.row_group import row_groups
from components.parquet.row_group import RowGroup
from components.semantic_id_gen.encode import Block
from components.semantic_id_gen.encode import EncodeToParquet
from trainer.sid_space import SidSpace


def encode_parquet(
    model: str, items: str, output_prefix: str, id_column: str, embedding_column: str, workers: int
) -> tuple[int, SidSpace]:
    """Encodes items.

    Every item is checked before the first one is encoded.

    Args:
        model: Directory of the semantic_id SavedModel.
        items: Path or pattern of Parquet files.
        output_prefix: Path and beginning of the name of the output files (item_id, sid).
        id_column: Column of unique ids.
        embedding_column: Column of content embeddings.
        workers: Worker processes; one runs within this process.

    Returns:
        Number of items, and the SID space of the output.

    Raises:
        InputError: A file or an item is wrong.
    """
    space = SidSpace.load(f"{model}/assets.extra")
    files = list_files(items)
    required = {id_column: "the id of the item", embedding_column: "the content embedding"}
    for path in files:
        read_schema(path, required)
    groups = row_groups(files)
    reader = _Reader(id_column, embedding_column, space.embedding_dim)
    blocks = (block for group in groups for block in reader.process(group))
    item_ids = [pa.array(block[0], pa.string()).cast(pa.binary()) for block in blocks]
    check_unique(pa.chunked_array(item_ids), groups, id_column)
    arguments = ["--runner=FnApiRunner", f"--direct_num_workers={workers}"]
    arguments.append(f"--direct_running_mode={'in_memory' if workers == 1 else 'multi_processing'}")
    with beam.Pipeline(argv=arguments) as pipeline:
        _ = (
            pipeline
            | beam.Create(groups, reshuffle=False)
            # Else the runner fuses everything into one worker.
            | beam.Reshuffle()
            | beam.ParDo(reader)
            | EncodeToParquet(model, output_prefix)
        )
    return sum(group.rows for group in groups), space


class _Reader(beam.DoFn):
    """Row groups to blocks of checked items."""

    def __init__(self, id_column: str, embedding_column: str, dim: int):
        self._id_column = id_column
        self._embedding_column = embedding_column
        self._dim = dim

    def process(self, group: RowGroup) -> Iterator[Block]:
        for row, batch in group.read([self._id_column, self._embedding_column]):
            item_ids = ids(batch.column(self._id_column), Place(group.path, self._id_column, row))
            embeddings = lists.embeddings(
                batch.column(self._embedding_column),
                Place(group.path, self._embedding_column, row),
                self._dim,
                "the length that the model takes",
            )
            texts = np.array([item_id.decode() for item_id in item_ids.to_pylist()], object)
            yield texts, embeddings.flatten().to_numpy().reshape(-1, self._dim)
