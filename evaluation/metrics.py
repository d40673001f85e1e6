"""Metrics of predictions: pure functions over arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from semantic_id_ranking.evaluation.score_histogram import ScoreHistogram
from semantic_id_ranking.evaluation.slice_sums import DEPTHS
from semantic_id_ranking.evaluation.slice_sums import log_losses
from semantic_id_ranking.evaluation.within_groups import Ranking
from semantic_id_ranking.evaluation.within_groups import user_auc_terms


def auc(labels: np.ndarray, predictions: np.ndarray) -> float | None:
    """Area under the ROC curve; None where only one class is there.

    Args:
        labels: [n] 0 or 1.
        predictions: float32 [n], any scores.
    """
    return ScoreHistogram.of(predictions, labels).auc


def entropy(mean_label: Any) -> Any:
    """Log-loss of always predicting the mean label, elementwise; 0 where there is one class."""
    mean = np.asarray(mean_label, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = mean * np.log(mean) + (1 - mean) * np.log(1 - mean)
    return -np.nan_to_num(terms, nan=0.0)


def normalized_entropy(labels: np.ndarray, predictions: np.ndarray) -> float | None:
    """Mean log-loss over that of always predicting the mean label; None with one class only.

    Below 1 the predictions say more than the mean does.

    Args:
        labels: [n] 0 or 1.
        predictions: [n] probabilities.

    Reference: He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook".
    """
    if not len(labels) or labels.min() == labels.max():
        return None
    of_mean = entropy(labels.mean(dtype=np.float64))
    return float(log_losses(labels, predictions).mean() / of_mean)


def user_auc(labels: np.ndarray, predictions: np.ndarray, user: np.ndarray) -> float | None:
    """Each user's AUC, averaged with the user's impressions as weights (GAUC).

    Users with one class only have none and do not count.

    Args:
        labels: [n] 0 or 1.
        predictions: [n], any scores.
        user: int [n], numbers of users.

    Returns:
        None where no user counts.

    Reference: Zhou et al., "Deep Interest Network" (arXiv 1706.06978).
    """
    terms = user_auc_terms(Ranking.of(user, predictions), labels)
    counts = ~np.isnan(terms)
    return float(terms[counts].mean()) if counts.any() else None


def rmse(labels: np.ndarray, predictions: np.ndarray) -> float | None:
    """Root mean squared error; None without examples."""
    if not len(labels):
        return None
    return float(np.sqrt(np.mean(np.square(predictions - labels, dtype=np.float64))))


def report(
    kind: str, labels: np.ndarray, predictions: np.ndarray, user: np.ndarray
) -> dict[str, float | int | None]:
    """The metrics of a task on some impressions.

    Args:
        kind: "binary" or "regression".
        labels: float32 [n].
        predictions: float32 [n].
        user: int [n].
    """
    if kind == "regression":
        return {"examples": len(labels), "rmse": rmse(labels, predictions)}
    return {
        "examples": len(labels),
        "positives": int(labels.sum()),
        "auc": auc(labels, predictions),
        "normalized_entropy": normalized_entropy(labels, predictions),
        "user_auc": user_auc(labels, predictions, user),
    }


def ratio_metrics(kind: str, sums: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The metrics that are made of sums over the impressions, all but AUC.

    Args:
        kind: "binary" or "regression".
        sums: Term, as of `SliceSums.by_user`, -> float64 [...], its sums.
        model: Whose metrics.

    Returns:
        Metric -> float64 [...]; NaN where there is none.
    """
    examples = sums["examples"]
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "regression":
            return {"rmse": np.sqrt(sums[f"squared_error {model}"] / examples)}
        log_loss = sums[f"log_loss {model}"] / examples
        return {
            "gauc": sums[f"gauc {model}"] / sums[f"gauc_examples {model}"],
            **{
                f"ndcg_at_{depth}": sums[f"ndcg_at_{depth} {model}"] / sums[f"user_days {model}"]
                for depth in DEPTHS
            },
            "log_loss": log_loss,
            "normalized_entropy": log_loss / _nan_for_zero(entropy(sums["label"] / examples)),
        }


def _nan_for_zero(values: Any) -> Any:
    return np.where(values == 0, np.nan, values)
