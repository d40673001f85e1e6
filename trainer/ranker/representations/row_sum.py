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
        return segment_sum(values, self.index, self.item, self.items)


def sum_of_all(table: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Adds up rows of a small table, most of which a batch meets.

    The table is read as a whole and its gradient is dense, which then costs less than finding the
    distinct rows.

    Args:
        table: float32 [V, d].
        rows: Integers [U, R] in 0 .. V-1.

    Returns:
        float32 [U, d].
    """
    items = tf.shape(rows)[0]
    item = tf.repeat(tf.range(items), rows.shape[1])
    return segment_sum(table, tf.reshape(rows, [-1]), item, items)


def segment_sum(
    values: tf.Tensor, index: tf.Tensor, segment: tf.Tensor, segments: tf.Tensor
) -> tf.Tensor:
    """Adds up rows; TensorFlow's own, but for where there is none to add.

    The gradient of TensorFlow's is then whatever was in the memory that it takes.

    Args:
        values: float32 [V, d].
        index: Integers [T], the rows to add.
        segment: Integers [T], ascending, the sum that each belongs to.
        segments: int32 scalar, how many sums there are (S).

    Returns:
        float32 [S, d]; zero for a sum without rows.
    """
    return tf.cond(
        tf.size(index) > 0,
        lambda: tf.sparse.segment_sum(values, index, segment, num_segments=segments),
        # Of `values`, so that those have a gradient here too.
        lambda: tf.zeros([segments, 1]) + tf.reduce_sum(values[:0], axis=0),
    )
