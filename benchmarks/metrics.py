"""Metrics of predicted probabilities: pure functions over arrays."""

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score


def auc(labels: np.ndarray, predictions: np.ndarray) -> float | None:
    """Area under the ROC curve; None where only one class is there.

    Args:
        labels: [n] 0 or 1.
        predictions: [n], any scores.
    """
    if not len(labels) or labels.min() == labels.max():
        return None
    return float(roc_auc_score(labels, predictions))


def normalized_entropy(labels: np.ndarray, predictions: np.ndarray) -> float | None:
    """Mean log loss over that of always predicting the mean label; None with one class only.

    Below 1 the predictions say more than the mean does.

    Args:
        labels: [n] 0 or 1.
        predictions: [n] probabilities.

    Reference: He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook".
    """
    if not len(labels) or labels.min() == labels.max():
        return None
    mean = labels.mean(dtype=np.float64)
    entropy = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
    return float(log_loss(labels, predictions.astype(np.float64)) / entropy)


def user_auc(labels: np.ndarray, predictions: np.ndarray, user: np.ndarray) -> float | None:
    """Each user's AUC, averaged with the user's impressions as weights.

    Users with one class only have none and do not count.

    Args:
        labels: [n] 0 or 1.
        predictions: [n], any scores.
        user: int [n], numbers of users.

    Returns:
        None where no user counts.

    Reference: Zhou et al., "Deep Interest Network" (arXiv 1706.06978).
    """
    if not len(labels):
        return None
    _, user = np.unique(user, return_inverse=True)
    user = user.reshape(-1)
    impressions = np.bincount(user)
    positives = np.bincount(user, labels)
    negatives = impressions - positives
    # Ranks over (user, prediction), less those of the users before: ranks within each user.
    order = np.lexsort((predictions, user))
    distinct = np.empty(len(order), np.int64)
    ordered_user, ordered = user[order], predictions[order]
    new = (np.diff(ordered_user) != 0) | (np.diff(ordered) != 0)
    distinct[order] = np.concatenate([[0], np.cumsum(new)])
    rank = rankdata(distinct) - (np.cumsum(impressions) - impressions)[user]
    rank_sum = np.bincount(user, rank * labels)
    counts = (positives > 0) & (negatives > 0)
    if not counts.any():
        return None
    positives, negatives = positives[counts], negatives[counts]
    aucs = (rank_sum[counts] - positives * (positives + 1) / 2) / (positives * negatives)
    return float(np.average(aucs, weights=impressions[counts]))


def rmse(labels: np.ndarray, predictions: np.ndarray) -> float | None:
    """Root mean squared error; None without examples."""
    if not len(labels):
        return None
    return float(np.sqrt(np.mean(np.square(predictions - labels, dtype=np.float64))))


def report(
    kind: str, labels: np.ndarray, predictions: np.ndarray, user: np.ndarray
) -> dict[str, float | int | None]:
    """All metrics of a task on some impressions.

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
