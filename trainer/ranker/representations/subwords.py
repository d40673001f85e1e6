"""The interface of all tokenizations of items into subwords with a table row each."""

import abc
from collections.abc import Mapping

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.row_section import RowSection

NONE = -1
"""Stands where an item has no row."""


class Subwords(tf.keras.layers.Layer, abc.ABC):
    """Finds the table rows of items.

    Items are those that `ItemRepresentation.distinct` gives: `sid`, int32 [n, L], `sid_key` and
    `item_id`, fingerprints, int64 [n]; all -1 where there is none.
    """

    def __init__(self, fields: tuple[str, ...], table_rows: int, name: str):
        """Creates the layer.

        Args:
            fields: What is read of an item, of `sid` and `item_id`.
            table_rows: Rows of the table.
            name: The layer's name.
        """
        super().__init__(name=name, dtype="float32")
        self.fields = fields
        self.table_rows = table_rows

    def row_keys(self) -> list[RowSection]:
        """What the rows stand for, from one training to the next."""
        return [RowSection(self.name, range(self.table_rows))]

    @abc.abstractmethod
    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Rows of items.

        Args:
            items: The items' fields.
            training: Whether this is a training step.

        Returns:
            int64 [n, R] in 0 .. table_rows-1; `NONE` fills up rows of fewer than R subwords, and
            stands in all of an absent item.
        """
