"""Beam: the impressions of one group of items, with the items' counters. No TFX here."""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np

from semantic_id_ranking.components.feature_joiner import blocks
from semantic_id_ranking.components.feature_joiner.item_counters import count_items
from semantic_id_ranking.components.feature_joiner.item_counters import ItemCounters
from semantic_id_ranking.components.feature_joiner.label_means import label_sums
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters


class JoinItems(beam.DoFn):
    """Counts the impressions of a group of items, and deals them out to groups of users.

    Args:
        parameters: What is joined.
        groups: Groups that users are dealt out to.
        start: First instant that no earlier state has in it, microseconds since 1970; None: there
            is no state.
    """

    def __init__(self, parameters: JoinParameters, groups: int, start: int | None):
        self._parameters = parameters
        self._groups = groups
        self._start = start

    def process(self, group: tuple[int, Iterable[bytes | ItemCounters]]) -> Iterator[Any]:
        """Counts one group.

        Args:
            group: Its number; parts of its impressions, and counters of its items in the state.

        Yields:
            Group and part of a block; as `items`, the items' counters after the last impression; as
            `changes`, what changed in the popularity of items; as `labels`, sums of labels by
            period.
        """
        number, given = group
        given = list(given)
        parts = [part for part in given if isinstance(part, bytes)]
        before = ItemCounters.concatenate(
            [
                ItemCounters.none(len(self._parameters.counter_layout.block)),
                *(part for part in given if not isinstance(part, bytes)),
            ]
        )
        if not parts:
            # Of what no impression touches all stays as it is.
            block = None
            item = time = evaluation = np.zeros(0, np.int64)
            evaluation = evaluation.astype(bool)
            flags = np.zeros((0, before.totals.shape[1]), np.int64)
        else:
            block = blocks.join_parts(parts)
            item, time = blocks.numbers(block, "item"), blocks.effective_time(block, self._start)
            evaluation = blocks.numbers(block, "evaluation")
            flags = blocks.counter_flags(block, self._parameters)
        counted = count_items(
            item,
            time,
            flags,
            evaluation if self._parameters.evaluation_period else None,
            before,
            self._parameters.days,
            self._parameters.by_event,
        )
        yield beam.pvalue.TaggedOutput("items", counted.after)
        yield beam.pvalue.TaggedOutput("changes", counted.changes)
        if block is None:
            return
        period = blocks.periods(block, time, self._parameters)
        sums = label_sums(number, period, blocks.labels(block, self._parameters))
        yield beam.pvalue.TaggedOutput("labels", sums)
        block = blocks.with_counters(block, counted, self._parameters)
        yield from blocks.deal(block, blocks.user_groups(block, self._groups))
