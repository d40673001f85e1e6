"""Semantic IDs that generalise by their codes and memorise by rows trusted for their training."""

import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

from trainer.ranker.representations.item_representation import ItemRepresentation
from trainer.ranker.representations.row_sum import RowList
from trainer.ranker.representations.subword_sum import all_rows
from trainer.ranker.representations.subwords import Subwords
from trainer.sid_space import SidSpace


class SidHybrid(ItemRepresentation):
    """A general part plus a memorising part.

    The general part has rows that many items share (codes); the memorising one rows of few items
    (prefixes, pieces or item IDs). Each memorising row is scaled by how far it is to be trusted,
    n / (n + tau), n being the training impressions of the items that it is a subword of: a row that
    was hardly trained hardly speaks. In training, the memorising part as a whole is left out of
    random items, so that the general part learns to do without.
    """

    def __init__(
        self,
        general: Sequence[Subwords],
        memory: Sequence[Subwords],
        dim: int,
        space: SidSpace,
        tau: float,
        drop: float,
        gate: Literal["count", "learnt", "none"],
        counted: Literal["training", "before"] = "training",
    ):
        """Creates the layer.

        Args:
            general: Subwords of the general part.
            memory: Subwords of the memorising part.
            dim: Width of an item's vector (d).
            space: The SID space.
            tau: Impressions at which a memorising row counts half.
            drop: Share of items, in a training step, that go without the memorising part.
            gate: "count" scales memorising rows by n / (n + tau); "learnt" by
                n^a / (n^a + tau^a), where tau and the power a are trained, from `tau` and 1 on;
                "none" does not scale.
            counted: "training" counts a row's impressions while training, so that trust grows;
                "before" takes those that the memorising subwords know from the start.

        Raises:
            ValueError: Subwords do not know their impressions, but should.
        """
        known = [cut.known_impressions for cut in memory]
        if counted == "before" and any(one is None for one in known):
            raise ValueError(
                "only frequent prefixes and item IDs know their impressions before training"
            )
        fields = tuple(dict.fromkeys(f for cut in (*general, *memory) for f in cut.fields))
        self._memory_rows = sum(cut.table_rows for cut in memory)
        self._general_rows = sum(cut.table_rows for cut in general)
        super().__init__(fields, dim, space, self._general_rows + self._memory_rows)
        self._general = list(general)
        self._memory = list(memory)
        self._tau = tau
        self._drop = drop
        self._gate = gate
        self._known = np.concatenate(known) if counted == "before" else None

    def build(self, input_shape: object) -> None:
        """Makes the tables, the rows' impressions and the gate."""
        self.general_table = self.add_table(self._general_rows, "general_table")
        self.memory_table = self.add_table(self._memory_rows, "memory_table", spread=0.0)
        self.impressions = self.add_weight(
            name="impressions",
            shape=(self._memory_rows,),
            initializer=(
                "zeros"
                if self._known is None
                else lambda shape, dtype=None, **_: tf.constant(self._known)
            ),
            trainable=False,
            aggregation=tf.VariableAggregation.SUM,
        )
        if self._gate == "learnt":
            log_tau = tf.keras.initializers.Constant(math.log(self._tau))
            self.log_tau = self.add_weight(name="log_tau", shape=(), initializer=log_tau)
            self.power = self.add_weight(name="power", shape=(), initializer="ones")
        super().build(input_shape)

    def vectors(self, items: Mapping[str, tf.Tensor], counts: tf.Tensor | None) -> tf.Tensor:
        """See the base class."""
        training = counts is not None
        general = RowList.of(all_rows(self._general, items, training))
        memory = RowList.of(all_rows(self._memory, items, training))
        trust = self._trust(tf.gather(self.impressions, memory.distinct))
        rows = tf.nn.embedding_lookup(self.memory_table, memory.distinct)
        memorised = memory.sum(rows * trust[:, None])
        if training:
            kept = tf.random.uniform([memory.items, 1]) >= self._drop
            memorised = tf.where(kept, memorised, 0.0)
            if self._known is None:
                self._count(memory, counts)
        return memorised + general.sum(tf.nn.embedding_lookup(self.general_table, general.distinct))

    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        items, index = self.distinct(features)
        rows = all_rows([*self._general, *self._memory], items, training=False)
        return tf.gather(tf.math.count_nonzero(rows >= 0, axis=1, dtype=tf.int32), index)

    def _trust(self, impressions: tf.Tensor) -> tf.Tensor:
        """Scale [V] of rows with so many impressions [V]."""
        if self._gate == "none":
            return tf.ones_like(impressions)
        if self._gate == "count":
            return impressions / (impressions + self._tau)
        # Half an impression keeps the logarithm of a row without any finite; it is then set to 0.
        known = impressions > 0
        log = tf.math.log(tf.where(known, impressions, 0.5))
        return tf.where(known, tf.sigmoid(self.power * (log - self.log_tau)), 0.0)

    def _count(self, memory: RowList, counts: tf.Tensor) -> None:
        """Adds a step's impressions, counts [U] by item, to those of their rows."""
        shown = tf.math.unsorted_segment_sum(
            tf.gather(counts, memory.item), memory.index, tf.size(memory.distinct)
        )
        self.impressions.scatter_add(tf.IndexedSlices(shown, memory.distinct))
