"""Items as 64-bit integers, the keys of tables and vocabularies."""

import tensorflow as tf

ABSENT = -1
"""The key of an item that is not there."""

_LARGEST = 2**63 - 1


def item_id_keys(item_id: tf.Tensor) -> tf.Tensor:
    """Fingerprints of item IDs (FarmHash).

    Args:
        item_id: Strings of any shape.

    Returns:
        int64 of the same shape, 0 or more; `ABSENT` for the empty string.
    """
    keys = tf.strings.to_hash_bucket_fast(item_id, _LARGEST)
    return tf.where(tf.equal(item_id, ""), tf.constant(ABSENT, tf.int64), keys)


def sid_keys(sid: tf.Tensor) -> tf.Tensor:
    """Fingerprints of whole Semantic IDs (FarmHash of the codes as int64, little-endian).

    >>> sid_keys(tf.constant([[1, 2], [1, 2], [2, 1]])).numpy()
    array([-8046314952632652275, -8046314952632652275, -3921210287703340018])

    Args:
        sid: Integers [n, L], of any size.

    Returns:
        int64 [n].
    """
    return tf.bitcast(tf.fingerprint(tf.cast(sid, tf.int64)), tf.int64)


def sequence_keys(codes: tf.Tensor) -> tf.Tensor:
    """Fingerprints of sequences of codes, of any length, which rows are hashed by.

    Args:
        codes: Integers [n, m].

    Returns:
        int64 [n], 0 or more.
    """
    return tf.bitwise.bitwise_and(sid_keys(codes), _LARGEST)
