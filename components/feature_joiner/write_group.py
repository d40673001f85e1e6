"""Beam: the impressions of one group of users, joined, to files. No TFX here."""

import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import ExitStack

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems
from tfx_bsl.public import tfxio

from semantic_id_ranking.components.feature_joiner.impressions import concatenate
from semantic_id_ranking.components.feature_joiner.impressions import Impressions
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join import final_histories
from semantic_id_ranking.components.feature_joiner.join import HISTORIES
from semantic_id_ranking.components.feature_joiner.join import join
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.popularity import popularity_slices

# The default level takes seven times as long, for files a fifth smaller.
_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


class WriteGroup(beam.DoFn):
    """Joins each group and writes one gzipped TFRecord file a split, and one of histories.

    So number, names, content and order of the files depend on the data alone, not on the runner. A
    group that is done twice replaces its own files. One without impressions has files too, because
    readers of a split want at least one.

    Args:
        parameters: What is joined.
        splits: Folders of the examples that train and of those that evaluate.
        histories: Folder of the histories.
    """

    def __init__(self, parameters: JoinParameters, splits: Sequence[str], histories: str):
        self._parameters = parameters
        self._splits = tuple(splits)
        self._histories = histories

    def process(
        self,
        group: tuple[int, Iterable[Impressions | None]],
        table: ItemTable,
        popularity: np.ndarray,
    ) -> Iterator[int]:
        """Joins and writes one group.

        Args:
            group: Its number, and parts of its impressions in any order; None is no part.
            table: The items.
            popularity: int [N], training impressions of each item.

        Yields:
            The time of its last impression, if there is one.
        """
        number, parts = group
        given = [part for part in parts if part is not None]
        name = f"{number:05d}-of-{self._parameters.shards:05d}"
        histories = HISTORIES.empty_table()
        with ExitStack() as stack:
            writers = [
                stack.enter_context(
                    tf.io.TFRecordWriter(os.path.join(folder, f"data_tfrecord-{name}.gz"), _OPTIONS)
                )
                for folder in self._splits
            ]
            if given:
                impressions = concatenate(given)
                for evaluation, batch in self._join(impressions, table, popularity):
                    for example in tfxio.RecordBatchToExamplesEncoder().encode(batch):
                        writers[evaluation].write(example)
                histories = final_histories(impressions, table, self._parameters)
                yield int(impressions["timestamp"].max())
        path = os.path.join(self._histories, f"histories-{name}.parquet")
        with FileSystems.create(path) as file:
            pq.write_table(histories, file)

    def _join(
        self, impressions: Impressions, table: ItemTable, counts: np.ndarray
    ) -> Iterator[tuple[bool, pa.RecordBatch]]:
        parameters = self._parameters
        slices = popularity_slices(counts, parameters.head_share, parameters.torso_share)
        return join(impressions, table, slices, counts > 0, parameters)
