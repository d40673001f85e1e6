"""Beam: the join, from files to files. No TFX here."""

import dataclasses
import json
import os
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.components.feature_joiner import counts as counts_lib
from semantic_id_ranking.components.feature_joiner import label_means
from semantic_id_ranking.components.feature_joiner import popularity as popularity_lib
from semantic_id_ranking.components.feature_joiner import state as state_lib
from semantic_id_ranking.components.feature_joiner.item_counters import ItemCounters
from semantic_id_ranking.components.feature_joiner.item_table import build_item_table
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join_items import JoinItems
from semantic_id_ranking.components.feature_joiner.label_means import LabelMeans
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.popularity import Popularity
from semantic_id_ranking.components.feature_joiner.read_impressions import ReadImpressions
from semantic_id_ranking.components.feature_joiner.read_items import read_items
from semantic_id_ranking.components.feature_joiner.read_items import write_titles
from semantic_id_ranking.components.feature_joiner.state import EarlierState
from semantic_id_ranking.components.feature_joiner.write_group import WriteGroup

_ITEM_AGES = pa.schema([("item_id", pa.string()), ("age_days", pa.float32())])


@dataclasses.dataclass(frozen=True)
class Join:
    """The join as a Beam graph.

    ```
    impressions ─▶ rows of their items ─▶ by item: counters before each, popularity
                                               └─▶ by user: history, counters ─▶ examples, users
    ```

    Attributes:
        parameters: What is joined.
        terms: `state.terms` of the state that is written.
        earlier: The state before, if there is one.
        splits: Folders of the examples that train and of those that evaluate.
        state: Folder of the state that is written.
    """

    parameters: JoinParameters
    terms: dict[str, Any]
    earlier: EarlierState | None
    splits: Sequence[str]
    state: str

    @property
    def counts_file(self) -> str:
        """What was counted."""
        return os.path.join(self.state, "join.json")

    def build(
        self,
        pipeline: beam.Pipeline,
        files: Sequence[tuple[str, bool]],
        sid_pattern: str,
        item_files: Sequence[str],
    ) -> None:
        """Adds the join to a pipeline.

        Args:
            pipeline: The pipeline.
            files: Files of impressions, and whether each is of the evaluation split.
            sid_pattern: Pattern of the files of Semantic IDs.
            item_files: Files of ItemGen's Examples.
        """
        parameters, earlier = self.parameters, self.earlier
        # A group's files depend on all of its users, so there are no fewer than before.
        groups = max(parameters.shards, earlier.groups if earlier else 1)
        start = earlier.start if earlier else None
        items = (
            pipeline
            | "ItemFiles" >> beam.Create(list(item_files), reshuffle=False)
            | "ReadItems" >> beam.FlatMap(read_items, parameters.embeddings)
        )
        _ = (
            pipeline
            | "OneTitlesFile" >> beam.Create([self.state])
            | "WriteTitles"
            >> beam.Map(
                write_titles, beam.pvalue.AsIter(items), earlier.folder if earlier else None
            )
        )
        state_items = pipeline | "StateItems" >> beam.Create(
            [earlier.items_file] if earlier else [], reshuffle=False
        )
        table = beam.pvalue.AsSingleton(
            pipeline
            | "One" >> beam.Create([None])
            | "ItemTable"
            >> beam.Map(
                build_item_table,
                sid_tables=beam.pvalue.AsIter(
                    pipeline | "ReadSids" >> beam.io.ReadFromParquetBatched(sid_pattern)
                ),
                items=beam.pvalue.AsIter(items),
                state_items=beam.pvalue.AsIter(
                    state_items | "ReadCreation" >> beam.FlatMap(state_lib.read_creation)
                ),
            )
        )
        read = (
            pipeline
            | "Files" >> beam.Create(list(files), reshuffle=False)
            # Else the runner fuses everything into one worker.
            | "Spread" >> beam.Reshuffle()
            | "Read"
            >> beam.ParDo(ReadImpressions(parameters, groups, start), table).with_outputs(
                "counts", main="parts"
            )
        )
        counters = state_items | "ReadStateItems" >> beam.FlatMap(
            state_lib.read_items, table, groups, parameters
        )
        counted = (
            (read.parts, counters)
            | "FlattenItems" >> beam.Flatten()
            | "ByItem" >> beam.GroupByKey()
            | "JoinItems"
            >> beam.ParDo(JoinItems(parameters, groups, start)).with_outputs(
                "items", "changes", "labels", main="parts"
            )
        )
        popularity = (
            counted.changes
            | "SumChanges" >> beam.CombineGlobally(_add_changes)
            | "Popularity" >> beam.Map(Popularity.of, parameters.head_share, parameters.torso_share)
        )
        means = beam.pvalue.AsSingleton(
            counted.labels
            | "Labels" >> beam.CombineGlobally(label_means.concatenate, len(parameters.labels))
            | "LabelMeans"
            >> beam.Map(
                LabelMeans.of, tuple(parameters.labels), earlier.labels if earlier else None
            )
        )
        # Every group is there, whether it has impressions or not.
        every = pipeline | "Groups" >> beam.Create([(number, None) for number in range(groups)])
        last = (
            (every, counted.parts)
            | "FlattenUsers" >> beam.Flatten()
            | "ByUser" >> beam.GroupByKey()
            | "WriteGroup"
            >> beam.ParDo(
                WriteGroup(parameters, groups, self.splits, self.state, earlier),
                table,
                beam.pvalue.AsSingleton(popularity),
                means,
            )
        )
        self._write_rest(pipeline, groups, last, read.counts, counted.items, table, means)

    def _write_rest(
        self,
        pipeline: beam.Pipeline,
        groups: int,
        last: beam.PCollection,
        counts: beam.PCollection,
        items: beam.PCollection,
        table: beam.pvalue.AsSingleton,
        means: beam.pvalue.AsSingleton,
    ) -> None:
        """Writes what there is one file of."""
        one = pipeline | "OneState" >> beam.Create([None])
        end = beam.pvalue.AsSingleton(
            last | "LastOfAll" >> beam.CombineGlobally(max).without_defaults(), default_value=None
        )
        _ = (
            counts
            | "SumCounts" >> beam.CombineGlobally(counts_lib.add)
            | "WriteCounts" >> beam.Map(_write_counts, self.counts_file)
        )
        _ = one | "WriteState" >> beam.Map(self._write_state, groups, end, means)
        _ = one | "WriteItems" >> beam.Map(self._write_items, beam.pvalue.AsIter(items), table)
        if self.parameters.item_age:
            _ = one | "WriteItemAges" >> beam.Map(self._write_item_ages, end, table)

    def _write_state(self, _: None, groups: int, last: int | None, means: LabelMeans) -> None:
        state_lib.write_state(self.state, self.terms, groups, last, means.totals, self.earlier)

    def _write_items(self, _: None, parts: Iterable[ItemCounters], table: ItemTable) -> None:
        state_lib.write_items(self.state, parts, table, self.parameters)

    def _write_item_ages(self, _: None, last: int | None, table: ItemTable) -> None:
        """Every item's age at the last impression, of which it is known when it was created."""
        rows = np.arange(len(table.ids))
        ages = table.ages(rows, last or 0)
        rows = rows[~np.isnan(ages)]
        columns = [
            table.names.take(pa.array(rows)).cast(pa.string()),
            ages[rows].astype(np.float32),
        ]
        path = os.path.join(self.state, "item_ages", "item_ages.parquet")
        with FileSystems.create(path) as file:
            pq.write_table(pa.table(columns, _ITEM_AGES), file)


def _add_changes(parts: Iterable[np.ndarray]) -> np.ndarray:
    return popularity_lib.add(list(parts))


def _write_counts(counts: counts_lib.Counts, path: str) -> None:
    with FileSystems.create(path, "application/json") as file:
        file.write(json.dumps(counts_lib.as_json(counts)).encode())
