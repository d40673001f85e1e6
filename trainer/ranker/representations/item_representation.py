"""The interface of all item representations."""

import abc
from collections.abc import Mapping
from typing import ClassVar

import tensorflow as tf

from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations.sid_resources import SidResources


class ItemRepresentation(tf.keras.layers.Layer, abc.ABC):
    """Turns what identifies an item into a vector.

    One instance serves the candidate, the current item and the history. Items come as a dictionary
    of the fields that the representation declares, all with the same leading axes `[...]`:

    - `sid`: integers [..., L], the Semantic ID; an item with any code outside 0 .. K-1 (as -1) is
      absent.
    - `item_id`: strings [...]; an item whose ID is the empty string is absent.

    An absent item gets the zero vector and takes no rows.
    """

    fields: ClassVar[tuple[str, ...]]
    """What the representation reads of an item: `sid`, `item_id` or both."""

    def __init__(self, dim: int, resources: SidResources, table_rows: int):
        """Creates the layer; its table is made at the first call.

        Args:
            dim: Width of an item's vector (d).
            resources: The SID space and the tokenizer.
            table_rows: Rows of the embedding table.
        """
        super().__init__(name="item")
        self.dim = dim
        self.levels = resources.space.levels
        self.codebook_size = resources.space.codebook_size
        self.table_rows = table_rows
        self.tables: list[tf.Variable] = []

    @classmethod
    @abc.abstractmethod
    def create(
        cls, config: RepresentationConfig, dim: int, resources: SidResources
    ) -> "ItemRepresentation":
        """Makes the representation from its configuration.

        Args:
            config: Name and table budget.
            dim: Width of an item's vector (d).
            resources: The SID space and the tokenizer.

        Raises:
            ValueError: The configuration or the resources do not suffice.
        """

    @abc.abstractmethod
    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Vectors of items.

        Args:
            features: The items' fields.

        Returns:
            float32 [..., d].
        """

    @abc.abstractmethod
    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Table rows that are summed into each item's vector.

        Args:
            features: The items' fields.

        Returns:
            int32 [...]; 0 for an absent item.
        """

    def present(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Which items there are.

        Args:
            features: The items' fields.

        Returns:
            bool [...]: true where any field of the representation identifies an item.
        """
        found = []
        if "sid" in self.fields:
            codes = features["sid"]
            found.append(tf.reduce_all((codes >= 0) & (codes < self.codebook_size), axis=-1))
        if "item_id" in self.fields:
            found.append(tf.not_equal(features["item_id"], ""))
        return tf.reduce_any(tf.stack(found), axis=0)

    def add_table(self, rows: int, name: str = "table") -> tf.Variable:
        """Adds an embedding table, which is trained by the table optimizer.

        Args:
            rows: Its rows.
            name: Its name.

        Returns:
            float32 [rows, d], small and random, so that rows that training never met stay near
            zero.
        """
        table = self.add_weight(
            name=name,
            shape=(rows, self.dim),
            initializer=tf.keras.initializers.RandomUniform(-0.05, 0.05),
        )
        self.tables.append(table)
        return table
