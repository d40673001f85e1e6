"""Numbers that a network can read, from counters of impressions and labels."""

import tensorflow as tf

from semantic_id_ranking.contracts.counters import CounterLayout
from semantic_id_ranking.contracts.counters import PRIOR_LABELS

# Over a rate of a millionth it still fits a float32.
_MOST = 1e30


def log_impressions(counters: tf.Tensor, tasks: int) -> tf.Tensor:
    """Logarithms of impression counts: log(1 + i) of a key with i impressions.

    Args:
        counters: float32 [B, k (1 + 2T)]: k blocks of `CounterLayout`. One below 0 counts as 0.
        tasks: T.

    Returns:
        float32 [B, k]; NaN where a counter is not finite, which stands for one that is not known.
    """
    impressions = _by_block(counters, tasks)[..., 0]
    known = tf.math.is_finite(impressions)
    logarithms = tf.math.log1p(tf.maximum(tf.where(known, impressions, 0.0), 0.0))
    return tf.where(known, logarithms, float("nan"))


def rate_log_odds(counters: tf.Tensor, rates: tf.Tensor) -> tf.Tensor:
    """Log-odds of smoothed rates, less those of the mean rate.

    Of n labels of a key, k of them positive, the smoothed rate is r = (k + m p) / (n + m), p being
    the mean rate and m `PRIOR_LABELS`: the mean of a beta distribution of mean p that has seen n
    labels. Its log-odds less those of p are log((m + k / p) / (m + (n - k) / (1 - p))).

    Args:
        counters: float32 [B, k (1 + 2T)]: k blocks of `CounterLayout`. One below 0 counts as 0, and
            positives count up to their labels.
        rates: float32 [T], p of each task, above 0 and below 1.

    Returns:
        float32 [B, k, T]; 0 for a key without labels, and where a counter that one needs is not
        finite, which stands for one that is not known.
    """
    by_block = _by_block(counters, rates.shape[0])
    labels, positives = by_block[..., 1::2], by_block[..., 2::2]
    known = tf.math.is_finite(labels) & tf.math.is_finite(positives)
    labels = tf.clip_by_value(tf.where(known, labels, 0.0), 0.0, _MOST)
    positives = tf.clip_by_value(tf.where(known, positives, 0.0), 0.0, labels)
    for_ = PRIOR_LABELS + positives / rates
    against = PRIOR_LABELS + (labels - positives) / (1 - rates)
    return tf.math.log(for_) - tf.math.log(against)


def feature_widths(layout: CounterLayout) -> dict[str, int]:
    """Features of each context column of counters: by block a logarithm, then T log-odds."""
    return {column: blocks * (1 + len(layout.tasks)) for column, blocks in layout.blocks.items()}


def _by_block(counters: tf.Tensor, tasks: int) -> tf.Tensor:
    """[B, k, 1 + 2T]."""
    width = 1 + 2 * tasks
    return tf.reshape(counters, [-1, counters.shape[1] // width, width])
