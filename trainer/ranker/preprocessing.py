"""The Transform graph: context to vocabulary IDs and standardised numbers."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from semantic_id_ranking.contracts.counters import COUNTER_COLUMNS
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN
from semantic_id_ranking.trainer.ranker.counter_features import log_impressions
from semantic_id_ranking.trainer.ranker.counter_features import rate_log_odds

# Keeps the log-odds of a task without a positive, or without a negative, finite.
_LOWEST_RATE = 1e-6


def preprocessing_fn(
    inputs: Mapping[str, tf.Tensor | tf.SparseTensor],
    custom_config: Mapping[str, Any],
) -> dict[str, tf.Tensor]:
    """TFX Transform's entry point.

    Args:
        inputs: `context_feature(column)` and `history_length`, one value an impression: dense
            [B, 1] or [B], or sparse [B, 1] where a value may be missing; where there are counters,
            the columns of `CounterLayout`, and `label_<task>` and `weight_<task>`, dense.
        custom_config: `categorical` and `numeric`, the lists of context columns; `item_age`,
            whether the candidate's age, `context_item_age_days`, is among the inputs (it is not
            where this is left out); `counters`, the binary tasks that are counted, or None, as
            where this is left out, if there are no counters.

    Returns:
        The same names, [B] each: int64 IDs of the categorical ones (a missing or unknown value
        takes the last ID), and float32 z-scores of the others (a missing value or NaN takes the
        mean, 0). `history_length` is the z-score of log(1 + length); `context_item_age_days` that
        of log(1 + age), where a negative age counts as 0. A column of counters is float32 [B, n],
        by block the z-score of `log_impressions`, then `rate_log_odds` of each task, whose mean
        rate is that of the labels that were analysed.
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
    tasks = custom_config.get("counters")
    if tasks is not None:
        rates = _rates(inputs, tasks)
        for column in COUNTER_COLUMNS:
            name = context_feature(column)
            outputs[name] = _counters(inputs[name], rates)
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


def _rates(inputs: Mapping[str, tf.Tensor], tasks: Sequence[str]) -> tf.Tensor:
    """The share of positives among the labels of each task, float32 [T]."""
    rates = []
    for task in tasks:
        # Where there is no label, the weight is 0.
        weights = tf.cast(inputs[f"weight_{task}"], tf.float64)
        positives = weights * tf.cast(inputs[f"label_{task}"], tf.float64)
        rate = tf.math.divide_no_nan(tft.sum(positives), tft.sum(weights))
        rates.append(tf.clip_by_value(rate, _LOWEST_RATE, 1 - _LOWEST_RATE))
    return tf.cast(tf.stack(rates), tf.float32) if rates else tf.zeros([0])


def _counters(counters: tf.Tensor, rates: tf.Tensor) -> tf.Tensor:
    """The features of a column of counters, float32 [B, n]."""
    # Log-odds are not scaled: their moments need the rates first, and Transform would read all
    # examples twice (which TFT 1.16 cannot do on the Beam of today).
    log_odds = rate_log_odds(counters, rates)
    logarithms = tf.cast(log_impressions(counters, rates.shape[0]), tf.float64)
    # Moments are of float64, as below, and leave NaN out.
    scores = tf.cast(tft.scale_to_z_score(logarithms, elementwise=True), tf.float32)
    scores = tf.where(tf.math.is_nan(scores), tf.zeros_like(scores), scores)
    by_block = tf.concat([scores[..., None], log_odds], axis=2)
    return tf.reshape(by_block, [-1, by_block.shape[1] * by_block.shape[2]])


def _z_score(numbers: tf.SparseTensor) -> tf.Tensor:
    """float32 [B]; 0, the mean, for a missing number.

    Moments are of float64: the squares of a float32 may not fit one, and sums of float32 depend on
    the order in which a runner adds them.
    """
    scores = tft.scale_to_z_score(tf.cast(numbers, tf.float64))
    scores = tf.cast(scores, tf.float32)
    return tf.reshape(tft.sparse_tensor_to_dense_with_shape(scores, [None, 1], 0.0), [-1])
