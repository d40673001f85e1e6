"""Table rows of 64-bit keys."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.subwords import NONE


class HashedRows:
    """Rows by hashing: keys may share one, and every key has one."""

    def __init__(self, table_rows: int):
        """Creates the rows.

        Args:
            table_rows: How many there are.
        """
        self.table_rows = table_rows

    def build(self, owner: tf.keras.layers.Layer) -> None:
        """Needs no weights."""

    def find(self, keys: tf.Tensor) -> tf.Tensor:
        """Rows of keys.

        Args:
            keys: int64 of any shape.

        Returns:
            int64 of the same shape.
        """
        return tf.math.floormod(keys, tf.constant(self.table_rows, tf.int64))


class VocabularyRows:
    """Rows by a vocabulary: its keys have one each, and all others none.

    The keys are a weight, so that they are saved with the table that they belong to.
    """

    def __init__(self, keys: np.ndarray, counts: np.ndarray):
        """Creates the vocabulary.

        Args:
            keys: int64 [M], with repetitions.
            counts: Integers [M]; those of the same key are added up.
        """
        self.keys, first, index = np.unique(keys, return_index=True, return_inverse=True)
        """int64 [table_rows], the key of each row, ascending."""
        self.table_rows = len(self.keys)
        self.first = first
        """int64 [table_rows], where in `keys` that of each row stands first."""
        total = np.bincount(index.reshape(-1), weights=counts, minlength=self.table_rows)
        self.counts = total.astype(np.float32)
        """float32 [table_rows], how often the key of each row was counted."""

    def build(self, owner: tf.keras.layers.Layer) -> None:
        """Adds the keys to a layer's weights."""
        self._keys = constant_weight(owner, "keys", self.keys)

    def find(self, keys: tf.Tensor) -> tf.Tensor:
        """Rows of keys, `NONE` for one that is not in the vocabulary.

        Args:
            keys: int64 of any shape.

        Returns:
            int64 of the same shape.
        """
        if not self.table_rows:
            return tf.fill(tf.shape(keys), tf.constant(NONE, tf.int64))
        flat = tf.reshape(keys, [-1])
        vocabulary = tf.convert_to_tensor(self._keys)
        position = tf.searchsorted(vocabulary, flat, out_type=tf.int64)
        position = tf.minimum(position, self.table_rows - 1)
        known = tf.equal(tf.gather(vocabulary, position), flat)
        return tf.reshape(tf.where(known, position, NONE), tf.shape(keys))


def constant_weight(owner: tf.keras.layers.Layer, name: str, values: np.ndarray) -> tf.Variable:
    """Adds known numbers to a layer's weights."""
    return owner.add_weight(
        name=name,
        shape=values.shape,
        dtype=tf.as_dtype(values.dtype),
        initializer=lambda shape, dtype=None, **_: tf.constant(values),
        trainable=False,
    )
