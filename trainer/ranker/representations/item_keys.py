"""Items as 64-bit integers: what tables are indexed and vocabularies are searched by."""

import numpy as np
import tensorflow as tf

ABSENT = -1
"""The key of an item that is not there."""

_LARGEST = 2**63 - 1
_CODES_IN_A_WORD = 4


def item_id_keys(item_id: tf.Tensor) -> tf.Tensor:
    """Fingerprints of item IDs (FarmHash).

    Args:
        item_id: Strings of any shape.

    Returns:
        int64 of the same shape, 0 or more; `ABSENT` for the empty string.
    """
    keys = tf.strings.to_hash_bucket_fast(item_id, _LARGEST)
    return tf.where(tf.equal(item_id, ""), tf.constant(ABSENT, tf.int64), keys)


def sid_words(sid: tf.Tensor, present: tf.Tensor) -> list[tf.Tensor]:
    """Semantic IDs, four codes to an integer, exactly.

    Args:
        sid: int64 [n, L], codes below 65,535.
        present: bool [n]; the codes of the others are not looked at.

    Returns:
        int64 [n] each; `ABSENT` where there is no item.
    """
    padding = -sid.shape[-1] % _CODES_IN_A_WORD
    codes = tf.pad(tf.cast(sid, tf.uint16), [[0, 0], [0, padding]])
    words = tf.bitcast(tf.reshape(codes, [-1, codes.shape[1] // 4, 4]), tf.int64)
    words = tf.where(present[:, None], words, tf.constant(ABSENT, tf.int64))
    return tf.unstack(words, axis=1)


def sequence_keys(codes: tf.Tensor) -> tf.Tensor:
    """Fingerprints of all prefixes of sequences of codes.

    Args:
        codes: Integers [n, m].

    Returns:
        int64 [n, m], 0 or more: the key of the first code, of the first two, and so on.
    """
    codes = tf.cast(codes, tf.int64)
    key = tf.zeros_like(codes[:, 0])
    keys = []
    for code in tf.unstack(codes, axis=1):
        key = _mixed(key + code + 1)
        keys.append(tf.bitwise.bitwise_and(key, _LARGEST))
    return tf.stack(keys, axis=1)


def _mixed(key: tf.Tensor) -> tf.Tensor:
    """Spreads what distinguishes integers over all of their bits; products wrap around.

    Reference: the finaliser Moremur (P. Evensen), of MurmurHash3's form.
    """
    key = tf.bitwise.bitwise_xor(key, _shifted(key, 27)) * np.int64(0x3C79AC492BA7B653)
    key = tf.bitwise.bitwise_xor(key, _shifted(key, 33)) * np.int64(0x1C69B3F74AC4AE35)
    return tf.bitwise.bitwise_xor(key, _shifted(key, 27))


def _shifted(key: tf.Tensor, bits: int) -> tf.Tensor:
    """Shifts right, zeros coming in."""
    return tf.bitwise.bitwise_and(tf.bitwise.right_shift(key, bits), (1 << (64 - bits)) - 1)
