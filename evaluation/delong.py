"""Variance of a difference of two AUCs on the same clusters of impressions."""

from collections.abc import Mapping

import numpy as np


def auc_difference_variance(sums: Mapping[str, np.ndarray], first: str, second: str) -> float:
    """The estimate of DeLong, DeLong and Clarke-Pearson for clusters of dependent impressions.

    Args:
        sums: Terms, as of `SliceSums.by_user`, -> float64 [C], their sums in each cluster.
        first: A model.
        second: Another one.

    Returns:
        NaN where fewer than two clusters have a positive, or a negative.

    Reference: Obuchowski, "Nonparametric Analysis of Clustered ROC Curve Data", Biometrics 1997;
        with a cluster an impression it is DeLong et al., "Comparing the Areas under Two or More
        Correlated Receiver Operating Characteristic Curves", Biometrics 1988.
    """
    positives = sums["label"]
    negatives = sums["examples"] - positives
    if min(np.count_nonzero(positives), np.count_nonzero(negatives)) < 2:
        return float("nan")
    of_positives = _deviations(sums, "positive", positives, first, second)
    of_negatives = _deviations(sums, "negative", negatives, first, second)
    variance = (
        _correction(positives) * np.square(of_positives).sum()
        + _correction(negatives) * np.square(of_negatives).sum()
        + 2 * _correction(positives + negatives) * np.dot(of_positives, of_negatives)
    )
    # Unlike factors may leave a little less than nothing.
    return max(float(variance), 0.0)


def _deviations(
    sums: Mapping[str, np.ndarray], kind: str, count: np.ndarray, first: str, second: str
) -> np.ndarray:
    """What each cluster's impressions of a class add to the difference, beyond their share."""
    placements = sums[f"{kind}_placement {first}"] - sums[f"{kind}_placement {second}"]
    return (placements - count * placements.sum() / count.sum()) / count.sum()


def _correction(count: np.ndarray) -> float:
    """I / (I - 1) for the I clusters that have some."""
    clusters = np.count_nonzero(count)
    return clusters / (clusters - 1)
