"""Names of metrics, and which direction of each is better."""

#: Metrics of a type of task that a threshold may name, and whether more is better.
METRICS: dict[str, dict[str, bool]] = {
    "binary": {
        "auc": True,
        "gauc": True,
        "ndcg_at_5": True,
        "ndcg_at_10": True,
        "log_loss": False,
        "normalized_entropy": False,
    },
    "regression": {"rmse": False},
}

#: Metric -> its name in sentences.
NAMES = {
    "auc": "AUC",
    "gauc": "GAUC",
    "ndcg_at_5": "nDCG@5",
    "ndcg_at_10": "nDCG@10",
    "log_loss": "log-loss",
    "normalized_entropy": "normalized entropy",
    "rmse": "RMSE",
}


def default_metric(kind: str) -> str:
    """The metric of a threshold that names none.

    Args:
        kind: "binary" or "regression".
    """
    return next(iter(METRICS[kind]))
