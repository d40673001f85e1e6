"""Paired bootstrap over clusters of impressions, such as those of a user."""

import numpy as np


def draw_clusters(clusters: int, resamples: int, seed: int = 0) -> np.ndarray:
    """Draws clusters with replacement, as many as there are.

    Args:
        clusters: Number of clusters (C).
        resamples: Times to draw (R).
        seed: Of the draw. Two rankers that are compared take the same draw: that is the pairing.

    Returns:
        Float32 [R, C], how often each cluster was drawn.
    """
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(clusters, np.full(clusters, 1 / clusters), resamples)
    return draws.astype(np.float32)


def resampled_auc(
    labels: np.ndarray, predictions: np.ndarray, cluster: np.ndarray, draws: np.ndarray
) -> np.ndarray:
    """AUC under every draw.

    Args:
        labels: [n] 0 or 1.
        predictions: [n], any scores.
        cluster: int [n], the column of `draws` that each impression belongs to.
        draws: [R, C], how often each cluster was drawn.

    Returns:
        Float64 [R]; NaN where only one class was drawn.
    """
    if not len(labels):
        return np.full(len(draws), np.nan)
    order = np.argsort(predictions, kind="stable")
    ordered = predictions[order]
    # Impressions of one prediction stand together and win half of their comparisons.
    starts = np.flatnonzero(np.concatenate([[True], np.diff(ordered) != 0]))
    cluster, positive = cluster[order], labels[order].astype(np.float64)
    aucs = np.empty(len(draws))
    for i, draw in enumerate(draws):
        weight = draw[cluster].astype(np.float64)
        positives = np.add.reduceat(weight * positive, starts)
        negatives = np.add.reduceat(weight * (1 - positive), starts)
        below = np.cumsum(negatives) - negatives
        comparisons = positives.sum() * negatives.sum()
        won = (positives * (below + negatives / 2)).sum()
        aucs[i] = won / comparisons if comparisons else np.nan
    return aucs


def interval(samples: np.ndarray, confidence: float = 0.95) -> list[float]:
    """The percentile interval of a bootstrap's samples.

    Args:
        samples: [R]; NaN samples are left out.
        confidence: Share of the samples inside.

    Returns:
        Lower and upper bound; NaN where there are no samples.
    """
    samples = samples[~np.isnan(samples)]
    if not len(samples):
        return [float("nan"), float("nan")]
    tail = (1 - confidence) / 2
    return np.quantile(samples, [tail, 1 - tail]).tolist()


def seed_mean(samples: np.ndarray, seed: int = 0) -> np.ndarray:
    """Mean over seeds that are drawn with replacement too, so that their noise counts.

    Args:
        samples: [S, R], a difference under every draw of clusters, one row a seed.
        seed: Of the draw.

    Returns:
        [R].
    """
    count, resamples = samples.shape
    chosen = np.random.default_rng(seed).integers(0, count, (count, resamples))
    return np.take_along_axis(samples, chosen, axis=0).mean(axis=0)
