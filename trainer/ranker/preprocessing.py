"""The Transform graph: context columns to vocabulary IDs and standardised numbers."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN


def preprocessing_fn(
    inputs: Mapping[str, tf.Tensor | tf.SparseTensor],
    custom_config: Mapping[str, Any],
) -> dict[str, tf.Tensor]:
    """TFX Transform's entry point.

    Args:
        inputs: `context_feature(column)` and `history_length`, one value an impression: dense
            [B, 1] or [B], or sparse [B, 1] where a value may be missing.
        custom_config: `categorical` and `numeric`, the lists of context columns; `item_age`,
            whether the candidate's age, `context_item_age_days`, is among the inputs (it is not
            where this is left out).

    Returns:
        The same names, [B] each: int64 IDs of the categorical ones (a missing or unknown value
        takes the last ID), and float32 z-scores of the others (a missing value or NaN takes the
        mean, 0). `history_length` is the z-score of log(1 + length); `context_item_age_days` that
        of log(1 + age), where a negative age counts as 0.
    """
    outputs = {}
    for column in custom_config["categorical"]:
        name = context_feature(column)
        outputs[name] = tft.compute_and_apply_vocabulary(
            _strings(inputs[name]), num_oov_buckets=1, vocab_filename=name
        )
    for column in custom_config["numeric"]:
        name = context_feature(column)
        outputs[name] = _z_score(_numbers(inputs[name]))
    if custom_config.get("item_age"):
        name = context_feature(ITEM_AGE_COLUMN)
        ages = _numbers(inputs[name])
        outputs[name] = _z_score(ages.with_values(tf.math.log1p(tf.maximum(ages.values, 0.0))))
    lengths = _numbers(inputs[HISTORY_LENGTH])
    outputs[HISTORY_LENGTH] = _z_score(lengths.with_values(tf.math.log1p(lengths.values)))
    return outputs


def _strings(values: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """Strings [B]; the empty string where there is none, which no vocabulary holds."""
    if isinstance(values, tf.SparseTensor):
        values = tft.sparse_tensor_to_dense_with_shape(values, [None, 1], default_value="")
    return tf.reshape(values, [-1])


def _numbers(values: tf.Tensor | tf.SparseTensor) -> tf.SparseTensor:
    """float32 [B, 1] without the missing values, so that they do not weigh on mean and variance."""
    if isinstance(values, tf.SparseTensor):
        rows, batch, numbers = values.indices[:, 0], values.dense_shape[0], values.values
    else:
        numbers = tf.reshape(values, [-1])
        batch = tf.size(numbers, tf.int64)
        rows = tf.range(batch)
    numbers = tf.cast(numbers, tf.float32)
    kept = tf.logical_not(tf.math.is_nan(numbers))
    rows = tf.boolean_mask(rows, kept)
    return tf.SparseTensor(
        tf.stack([rows, tf.zeros_like(rows)], axis=1),
        tf.boolean_mask(numbers, kept),
        tf.stack([batch, 1]),
    )


def _z_score(numbers: tf.SparseTensor) -> tf.Tensor:
    """float32 [B]; 0, the mean, for a missing number.

    Moments are of float64: the squares of a float32 may not fit one, and sums of float32 depend on
    the order in which a runner adds them.
    """
    scores = tft.scale_to_z_score(tf.cast(numbers, tf.float64))
    scores = tf.cast(scores, tf.float32)
    return tf.reshape(tft.sparse_tensor_to_dense_with_shape(scores, [None, 1], 0.0), [-1])
