"""Beam: files of impressions to blocks of items, dealt out to groups. No TFX here."""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf

from semantic_id_ranking.components.feature_joiner import blocks
from semantic_id_ranking.components.feature_joiner import counts as counts_lib
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.read_examples import Columns
from semantic_id_ranking.components.feature_joiner.read_examples import read_examples
from semantic_id_ranking.components.feature_joiner.read_examples import scalars

#: The splits of the impressions and of the joined examples: those that train, those that evaluate.
SPLITS = ("train", "eval")


class ReadImpressions(beam.DoFn):
    """Reads files of ImpressionGen's Examples.

    Args:
        parameters: What is joined.
        groups: Groups that items are dealt out to.
        start: First instant that no earlier state has in it, microseconds since 1970; None: there
            is no state.
    """

    def __init__(self, parameters: JoinParameters, groups: int, start: int | None):
        self._parameters = parameters
        self._groups = groups
        self._start = start

    def process(self, file: tuple[str, bool], table: ItemTable) -> Iterator[Any]:
        """Reads one file.

        Args:
            file: Its path, and whether it is of the evaluation split.
            table: The items.

        Yields:
            Group and part of a block, of impressions of known items alone; as `counts`, what was
            counted of all.
        """
        path, evaluation = file
        for batch in read_examples(path, self._features()):
            block, counts = self._block(batch, evaluation, table)
            yield beam.pvalue.TaggedOutput("counts", counts)
            yield from blocks.deal(block, blocks.numbers(block, "item") % self._groups)

    def _features(self) -> dict[str, tf.DType]:
        parameters = self._parameters
        kinds = {"user_id": tf.string, "item_id": tf.string, "timestamp": tf.int64}
        if parameters.current_item:
            kinds["current_item_id"] = tf.string
        for task, column in parameters.labels.items():
            kinds[column] = tf.float32 if task in parameters.regressions else tf.int64
        kinds.update(dict.fromkeys(parameters.categorical, tf.string))
        kinds.update(dict.fromkeys(parameters.numeric, tf.float32))
        return kinds

    def _block(
        self, batch: Columns, evaluation: bool, table: ItemTable
    ) -> tuple[blocks.Block, counts_lib.Counts]:
        """The impressions of known items, and what was counted of all."""
        parameters = self._parameters
        item_ids = scalars(batch["item_id"], b"")
        time = scalars(batch["timestamp"], 0)
        user = scalars(batch["user_id"], b"")
        item = table.find(item_ids)
        known = table.has_sid(item)
        late = np.zeros(len(time), bool) if self._start is None else time < self._start
        labels = {
            task: scalars(batch[column], np.nan).astype(np.float32)
            for task, column in parameters.labels.items()
        }
        columns = {
            "user_id": _nullable(user, user == b""),
            "timestamp": pa.array(time),
            "item": pa.array(item.astype(np.int64)),
            "evaluation": pa.array(np.full(len(item), evaluation)),
        }
        unknown_current = 0
        if parameters.current_item:
            current = scalars(batch["current_item_id"], b"")
            columns["current_item_id"] = pa.array(current, pa.binary())
            unknown_current = int(((current != b"") & ~table.has_sid(table.find(current))).sum())
        for column in parameters.categorical:
            values = scalars(batch[column], None)
            columns[blocks.input_column(column)] = pa.array(values, pa.binary())
        for column in parameters.numeric:
            columns[blocks.input_column(column)] = pa.array(scalars(batch[column], np.nan))
        for task, column in parameters.labels.items():
            columns[blocks.input_column(column)] = pa.array(labels[task])
        kept = known if parameters.join_late else known & ~late
        counts = counts_lib.count(
            SPLITS[evaluation],
            item_ids,
            known,
            late,
            kept,
            user,
            {task: np.isnan(values) for task, values in labels.items()},
            unknown_current,
        )
        block = pa.table(columns)
        return block if kept.all() else block.filter(pa.array(kept)), counts


def _nullable(values: np.ndarray, null: np.ndarray) -> pa.BinaryArray:
    return pa.array(values, pa.binary(), mask=null)
