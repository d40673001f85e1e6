"""Beam: files of items' Examples to one Parquet file each of their Semantic IDs."""

import os
from collections import Counter
from collections.abc import Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from tfx_bsl.public import tfxio

from semantic_id_ranking.components import examples as examples_lib
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.item_encoder import ItemEncoder

_FEATURES = {"item_id": examples_lib.BYTES, "embedding": examples_lib.FLOAT}


class EncodeFile(beam.DoFn):
    """Encodes the items of each file of Examples into a Parquet file of their Semantic IDs.

    One output a file of the input, with the rows in their order: so the table does not depend on
    the runner, and no embedding passes through it. A file that is done twice replaces its output.

    Args:
        model_path: Directory of the semantic_id SavedModel.
        folder: Where the outputs go.
        files: Number of files; they come in as (number, path), numbered from 0.
        earlier: Folder that `put_earlier` wrote, of items that are not encoded again; or None.
    """

    def __init__(self, model_path: str, folder: str, files: int, earlier: str | None = None):
        self._model_path = model_path
        self._folder = folder
        self._files = files
        self._earlier = earlier

    def setup(self) -> None:
        """Loads the model, once a worker."""
        self._space = SidSpace.load(os.path.join(self._model_path, "assets.extra"))
        self._encoder = ItemEncoder(self._model_path, self._space, self._earlier)

    def process(self, numbered_file: tuple[int, str]) -> Iterator[Counter[str]]:
        """Encodes one file.

        Yields:
            How many of its items were `encoded` and how many `kept`.
        """
        number, path = numbered_file
        tables = [sid_table.schema_with_digests(self._space).empty_table()]
        counts: Counter[str] = Counter()
        for table, kept in self._tables(path):
            tables.append(table)
            counts.update(encoded=len(table) - kept, kept=kept)
        name = f"sids-{number:05d}-of-{self._files:05d}.parquet"
        with FileSystems.create(os.path.join(self._folder, name)) as file:
            pq.write_table(pa.concat_tables(tables).combine_chunks(), file)
        yield counts

    def _tables(self, path: str) -> Iterator[tuple[pa.Table, int]]:
        source = tfxio.TFExampleRecord(
            path,
            schema=examples_lib.schema_of(_FEATURES),
            telemetry_descriptors=["semantic_id_ranking"],
        )
        options = tfxio.RecordBatchesOptions(
            batch_size=examples_lib.BATCH_SIZE, drop_final_batch=False, num_epochs=1, shuffle=False
        )
        for batch in source.RecordBatches(options):
            if batch.num_rows:
                ids = [i.decode() for i in examples_lib.scalars(batch, "item_id", b"")]
                embeddings = examples_lib.matrix(batch, "embedding").astype(np.float32)
                yield self._encoder(np.array(ids, object), embeddings)
