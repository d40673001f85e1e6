"""Sums of table rows."""

import tensorflow as tf


def sum_rows(table: tf.Variable, rows: tf.Tensor, whole: bool) -> tf.Tensor:
    """Adds up each item's rows of a table.

    Args:
        table: float32 [V, d].
        rows: int64 [U, R]; negative ones stand for none.
        whole: Whether the table is read as a whole; see `read_rows`.

    Returns:
        float32 [U, d]; zero for an item without rows.
    """
    position = tf.where(rows >= 0)
    taken, item, items = tf.gather_nd(rows, position), position[:, 0], tf.shape(rows)[0]
    if whole:
        return segment_sum(tf.convert_to_tensor(table), taken, item, items)
    distinct, index = tf.unique(taken)
    return segment_sum(tf.nn.embedding_lookup(table, distinct), index, item, items)


def read_rows(table: tf.Variable, rows: tf.Tensor, whole: bool) -> tf.Tensor:
    """Reads rows of a table, each once but for those whose gradient is zero.

    Args:
        table: float32 [V, d].
        rows: Integers [n] in 0 .. V-1.
        whole: Whether the table is read as a whole. Its gradient is dense then, and else sparse. A
            table always has to be read alike: of one whose gradients are sparse, TensorFlow would
            make a copy at every step that reads it as a whole.

    Returns:
        float32 [n, d].
    """
    if whole:
        # The gradient of a product is dense, that of a variable's rows is not.
        return tf.gather(tf.convert_to_tensor(table) * 1.0, rows)
    return tf.nn.embedding_lookup(table, rows)


def sum_of_all(table: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Adds up rows of a small table, most of which a batch reads.

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


def sum_gathered(table: tf.Tensor | tf.Variable, rows: tf.Tensor) -> tf.Tensor:
    """The same for serving: fewer operations, all on dense tensors.

    Its gradient would cost more than that of `sum_of_all`.

    Args:
        table: float32 [V, d].
        rows: Integers [U, R] in 0 .. V-1.

    Returns:
        float32 [U, d].
    """
    return tf.reduce_sum(tf.gather(table, rows), axis=1)


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
