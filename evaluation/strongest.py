"""The strongest of some models on a slice."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.evaluation.metric_names import default_metric
from semantic_id_ranking.evaluation.metric_names import METRICS


def strongest(
    of_slice: Mapping[str, Any], kind: str, models: Sequence[str], metric: str | None = None
) -> str:
    """The model whose metric is best.

    >>> slices = {"models": {"a": {"auc": 0.5}, "b": {"auc": 0.75}, "c": {"auc": None}}}
    >>> strongest(slices, "binary", ["a", "b", "c"])
    'b'

    Args:
        of_slice: A slice of `make_report`.
        kind: "binary" or "regression".
        models: Names of models, one at least.
        metric: One of `METRICS`; None takes AUC or RMSE.

    Returns:
        Of equally good ones, or where none has the metric, the first.
    """
    key = metric or default_metric(kind)
    sign = 1 if METRICS[kind][key] else -1
    values = {model: of_slice["models"][model][key] for model in models}
    known = [model for model in models if values[model] is not None]
    return max(known, key=lambda model: sign * values[model], default=models[0])
