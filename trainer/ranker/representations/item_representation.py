"""The interface of all item representations."""

import abc
import contextlib
import functools
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations.distinct_items import distinct_items
from semantic_id_ranking.trainer.ranker.representations.item_keys import ABSENT
from semantic_id_ranking.trainer.ranker.representations.item_keys import item_id_keys
from semantic_id_ranking.trainer.ranker.representations.item_keys import sid_keys
from semantic_id_ranking.trainer.ranker.row_section import RowSection

# A table of up to so many rows an impression of a training step is read and trained as a whole.
# With histories of 50 this is as fast where an item has one row, and faster where it has several.
_SMALL_ROWS_AN_IMPRESSION = 32


class ItemVectors(NamedTuple):
    """Vectors of items that may occur many times.

    Attributes:
        distinct: float32 [U, d], the vectors of the distinct items; an absent item's is zero.
        distinct_present: bool [U], which of them there are.
        index: int32 [...], which of them each item is.
    """

    distinct: tf.Tensor
    distinct_present: tf.Tensor
    index: tf.Tensor

    @property
    def present(self) -> tf.Tensor:
        """The mask of present items, bool [...]."""
        return tf.gather(self.distinct_present, self.index)

    def all(self) -> tf.Tensor:
        """Every item's vector, float32 [..., d]."""
        return tf.gather(self.distinct, self.index)


class ItemRepresentation(tf.keras.layers.Layer, abc.ABC):
    """Turns what identifies an item into a vector.

    Items come as a dictionary of the fields that the representation declares, all with the same
    leading axes `[...]`:

    - `sid`: int64 [..., L], the Semantic ID; an item with any code outside 0 .. K-1 (as -1) is
      absent.
    - `item_id`: strings [...]; an item whose ID is the empty string is absent.
    - `embedding`: float32 [..., D], the content embedding; an item with zeros alone is absent.

    Of several fields, one that identifies an item is enough. An absent item gets the zero vector
    and takes no rows.
    """

    bottom_factor = 1.0
    """Factor by which the first layer on top of the items' vectors is wider than configured."""

    def __init__(self, fields: tuple[str, ...], dim: int, space: SidSpace, table_rows: int):
        """Creates the layer; its tables are made at the first call.

        Args:
            fields: What is read of an item: `sid`, `item_id`, `embedding`.
            dim: Width of an item's vector (d).
            space: The SID space.
            table_rows: Rows of all embedding tables together.
        """
        # Vectors are float32, also under a global policy of mixed precision.
        super().__init__(name="item", dtype="float32")
        self.fields = fields
        self.dim = dim
        self.space = space
        self.table_rows = table_rows
        self._tables: list[tf.Variable] = []
        self._small_rows = 0

    @property
    def tables(self) -> list[tf.Variable]:
        """The embedding tables, once they are made."""
        return self._tables

    @property
    def derived_variables(self) -> list[tf.Variable]:
        """Variables that training reads and that are no weights: they follow from the items."""
        return []

    @property
    def frozen_variables(self) -> list[tf.Variable]:
        """Constants that stay what they were made as, for as long as the SID space does."""
        return []

    def row_keys(self) -> list[list[RowSection]]:
        """What the rows of each of `tables` stand for, from one training to the next."""
        return [[RowSection("row", range(table.shape[0]))] for table in self.tables]

    def update_derived(self) -> None:
        """Computes `derived_variables` anew, of frozen variables that were changed."""

    @contextlib.contextmanager
    def folded(self) -> Iterator[None]:
        """While it is open, a graph that is traced reads constants folded from the weights.

        They are those of the weights as they are at its beginning, and give the same vectors up to
        rounding. An exported graph is traced so; the weights themselves stay in the training state.
        """
        yield

    def expect_batches(self, size: int) -> None:
        """Sets the number of impressions of a training step, before the layer is called.

        To find the distinct rows of a batch, gather them and take their gradients apart costs more
        than a dense gradient does, as long as the table is small beside the batch.

        Args:
            size: Impressions.
        """
        self._small_rows = _SMALL_ROWS_AN_IMPRESSION * size

    def is_small(self, table: tf.Variable) -> bool:
        """Whether a table is read and trained as a whole: none before `expect_batches`."""
        return table.shape[0] <= self._small_rows

    def call(self, features: Mapping[str, tf.Tensor], training: bool = False) -> ItemVectors:
        """Vectors of items.

        Args:
            features: The items' fields, of leading axes [...].
            training: Whether this is a training step.

        Returns:
            The vectors of the distinct items, and each item's index among them.
        """
        items, index = self.distinct(features)
        return ItemVectors(self.vectors(items, training), self._any_present(items), index)

    @abc.abstractmethod
    def vectors(self, items: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        """Vectors of distinct items.

        Args:
            items: The U items, as `distinct` gives them.
            training: Whether this is a training step.

        Returns:
            float32 [U, d].
        """

    @abc.abstractmethod
    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Table rows that are summed into each item's vector.

        Args:
            features: The items' fields.

        Returns:
            int32 [...]; 0 for an absent item.
        """

    def by_role(
        self, roles: Mapping[str, Mapping[str, tf.Tensor]], training: bool
    ) -> dict[str, ItemVectors]:
        """Vectors of the items of several roles, each distinct item worked on once.

        Args:
            roles: By role, the items' fields with one leading axis.
            training: Whether this is a training step.

        Returns:
            Vectors by role.
        """
        features = {
            field: tf.concat([items[field] for items in roles.values()], axis=0)
            for field in self.fields
        }
        sizes = [tf.shape(items[self.fields[0]])[0] for items in roles.values()]
        vectors = self(features, training=training)
        parts = tf.split(vectors.index, sizes, num=len(sizes))
        return {role: vectors._replace(index=part) for role, part in zip(roles, parts, strict=True)}

    def distinct(self, features: Mapping[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Finds the distinct items.

        Args:
            features: The items' fields, `sid` or `item_id` or both.

        Returns:
            The U distinct items: `sid`, int32 [U, L], `sid_key` and `item_id`, fingerprints of the
            Semantic IDs and of the item IDs, int64 [U], all -1 where there is none; and int32
            [...], the index of each item among them.
        """
        keys, all_items = [], {}
        if "sid" in self.fields:
            all_items["sid"] = tf.reshape(features["sid"], [-1, self.space.levels])
            all_items["sid_key"] = sid_keys(all_items["sid"])
            keys.append(all_items["sid_key"])
            shape = tf.shape(features["sid"])[:-1]
        if "item_id" in self.fields:
            all_items["item_id"] = item_id_keys(tf.reshape(features["item_id"], [-1]))
            keys.append(all_items["item_id"])
            shape = tf.shape(features["item_id"])
        position, index = distinct_items(keys)
        items = {name: tf.gather(values, position) for name, values in all_items.items()}
        if "sid" in self.fields:
            # Only now: what is not distinct need not be looked at.
            present = self._sid_present(items["sid"])
            items["sid_key"] = tf.where(present, items["sid_key"], ABSENT)
            items["sid"] = tf.where(present[:, None], tf.cast(items["sid"], tf.int32), -1)
        return items, tf.reshape(index, shape)

    def present(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The mask of present items.

        Args:
            features: The items' fields.

        Returns:
            bool [...]: true where any field of the representation identifies an item.
        """
        found = []
        if "sid" in self.fields:
            found.append(self._sid_present(features["sid"]))
        if "item_id" in self.fields:
            found.append(tf.not_equal(features["item_id"], ""))
        if "embedding" in self.fields:
            found.append(tf.reduce_any(features["embedding"] != 0, axis=-1))
        return tf.reduce_any(tf.stack(found), axis=0)

    def add_table(self, rows: int, zeros: int = 0) -> tf.Variable:
        """Adds an embedding table, which is trained by the table optimizer.

        Args:
            rows: Its rows. They start small, so that those without training stay near zero.
            zeros: How many of them, the last ones, start at zero.

        Returns:
            float32 [rows, d].
        """

        def initial(
            shape: tuple[int, ...], dtype: tf.DType | None = None, **_: object
        ) -> tf.Tensor:
            del shape, dtype
            drawn = tf.random.uniform([rows - zeros, self.dim], -0.05, 0.05)
            return tf.pad(drawn, [[0, zeros], [0, 0]])

        table = self.add_weight(name="table", shape=(rows, self.dim), initializer=initial)
        self._tables.append(table)
        return table

    @staticmethod
    def _any_present(items: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The mask of present distinct items, bool [U]."""
        found = []
        if "sid" in items:
            found.append(items["sid"][:, 0] >= 0)
        if "item_id" in items:
            found.append(items["item_id"] != ABSENT)
        if "embedding" in items:
            found.append(tf.reduce_any(items["embedding"] != 0, axis=1))
        return functools.reduce(tf.logical_or, found)

    def _sid_present(self, sid: tf.Tensor) -> tf.Tensor:
        return tf.reduce_all((sid >= 0) & (sid < self.space.codebook_size), axis=-1)
