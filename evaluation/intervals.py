"""Paired 95 % intervals of differences between two models on the same impressions."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from semantic_id_ranking.evaluation.bootstrap import draw_clusters
from semantic_id_ranking.evaluation.delong import auc_difference_variance
from semantic_id_ranking.evaluation.metric_names import METRICS
from semantic_id_ranking.evaluation.metrics import ratio_metrics
from semantic_id_ranking.evaluation.slice_sums import SliceSums

RESAMPLES = 1000
#: Of the standard normal distribution, 97.5 % lie below it.
QUANTILE = 1.959964


def standard_errors(kind: str, sums: SliceSums, first: str, second: str) -> dict[str, float]:
    """Standard error of each metric's difference between two models.

    AUC's is that of clustered DeLong, the others' are the spread of a bootstrap of the clusters'
    sums, in which both models take the same draws. Impressions of a user depend on each other, so
    users are the clusters. In a slice of items those of an item do too: then the variance is that
    over users plus that over items, which counts what lies in both twice and so errs on the wide
    side.

    Args:
        kind: "binary" or "regression".
        sums: Of the slice.
        first: A model.
        second: Another one.

    Returns:
        Metric -> standard error; NaN where there is none.

    Reference: two-way clusters: Cameron, Gelbach and Miller, "Robust Inference with Multiway
        Clustering", 2011, without the term that they subtract.
    """
    variances = dict.fromkeys(METRICS[kind], 0.0)
    for by_cluster in (sums.by_user, sums.by_item):
        if by_cluster:
            for metric, value in _variances(kind, by_cluster, first, second).items():
                variances[metric] += value
    return {metric: float(np.sqrt(value)) for metric, value in variances.items()}


def _variances(
    kind: str, by_cluster: Mapping[str, np.ndarray], first: str, second: str
) -> dict[str, float]:
    used = by_cluster["examples"] > 0
    sums = {term: values[used] for term, values in by_cluster.items()}
    count = int(used.sum())
    if count < 2:
        return dict.fromkeys(METRICS[kind], float("nan"))
    found = {}
    if kind == "binary":
        found["auc"] = auc_difference_variance(sums, first, second)
    draws = _draws(len(used))
    drawn = dict(zip(sums, (draws @ np.stack(list(by_cluster.values()), axis=1)).T, strict=True))
    one, other = (ratio_metrics(kind, drawn, model) for model in (first, second))
    for metric in one:
        difference: Any = one[metric] - other[metric]
        difference = difference[~np.isnan(difference)]
        # Drawing from C clusters varies as if their mean were known: C - 1 of C parts. How many of
        # a slice's clusters are drawn varies, too, which widens the interval where they are few.
        spread = difference.var(ddof=1) if len(difference) > 1 else np.nan
        found[metric] = float(spread * count / (count - 1))
    return found


@functools.lru_cache(maxsize=1)
def _draws(count: int) -> np.ndarray:
    """Draws of all clusters, which all slices, tasks and pairs of models share."""
    return draw_clusters(count, RESAMPLES).astype(np.float64)
