"""Sums of table rows."""

from typing import NamedTuple

import tensorflow as tf


class RowList(NamedTuple):
    """The rows of some items, each row once.

    Attributes:
        distinct: int64 [V], the distinct rows.
        index: int32 [T], which of them; one entry for every row of every item.
        item: int64 [T], whose row it is, ascending.
        items: int32 scalar, the number of items (U); some may have no row.
    """

    distinct: tf.Tensor
    index: tf.Tensor
    item: tf.Tensor
    items: tf.Tensor

    @classmethod
    def of(cls, rows: tf.Tensor) -> "RowList":
        """Lists rows.

        Args:
            rows: int64 [U, R]; negative ones stand for none.
        """
        place = tf.where(rows >= 0)
        distinct, index = tf.unique(tf.gather_nd(rows, place))
        return cls(distinct, index, place[:, 0], tf.shape(rows)[0])

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """Adds up each item's rows.

        Args:
            values: float32 [V, d], what the distinct rows hold.

        Returns:
            float32 [U, d]; zero for an item without rows.
        """
        return tf.sparse.segment_sum(values, self.index, self.item, num_segments=self.items)
