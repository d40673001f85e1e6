"""The thresholds that keep a ranker from being blessed."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.evaluation.metric_names import default_metric
from semantic_id_ranking.evaluation.metric_names import METRICS
from semantic_id_ranking.evaluation.metric_names import NAMES
from semantic_id_ranking.evaluation.strongest import strongest
from semantic_id_ranking.evaluation.threshold_config import ThresholdConfig

#: The ranker that is served, as a model of a report.
SERVED = "served"


def missed_thresholds(
    report: Mapping[str, Any], thresholds: Sequence[ThresholdConfig]
) -> list[str]:
    """Compares metrics with thresholds.

    Args:
        report: As `make_report` makes it.
        thresholds: The thresholds.

    Returns:
        A clause for each threshold that is missed: task, slice, value and threshold. Without
        thresholds there is one, too: nothing is blessed without one.
    """
    if not thresholds:
        return ["no threshold is configured, and nothing is blessed without one"]
    missed = []
    for threshold in thresholds:
        task = report["tasks"][threshold.task]
        of_slice = task["slices"][threshold.slice]
        peer, baselines = threshold.peer, report["baselines"]
        if peer is None and baselines:
            peer = strongest(of_slice, task["type"], baselines, threshold.metric)
        clauses = _missed(threshold, task["type"], of_slice, report["candidate"], peer)
        missed += [
            f"task {threshold.task}, slice {threshold.slice}: {clause}" for clause in clauses
        ]
    return missed


def _missed(
    threshold: ThresholdConfig,
    kind: str,
    of_slice: Mapping[str, Any],
    candidate: str,
    peer: str | None,
) -> list[str]:
    key = threshold.metric or default_metric(kind)
    metric, higher_is_better = NAMES[key], METRICS[kind][key]
    models = of_slice["models"]
    said = "the served ranker" if peer == SERVED else peer or "a baseline"
    value = models[candidate][key]
    clauses = []
    if threshold.value is None and threshold.change is None and value is None:
        clauses.append(f"no {metric} ({_why_not(models[candidate])})")
    if (needed := threshold.value) is not None:
        if value is None:
            why_not = _why_not(models[candidate])
            clauses.append(f"no {metric} ({why_not}), and the threshold is {needed}")
        elif value < needed if higher_is_better else value > needed:
            side = "below" if higher_is_better else "above"
            clauses.append(f"{metric} {value:.6g} is {side} the threshold {needed}")
    if (needed := threshold.change) is not None:
        bar = f"the threshold of a gain of {needed:+}"
        if peer not in models:
            clauses.append(f"{said} was not evaluated, and there is {bar}")
        elif value is None or models[peer][key] is None:
            whose, model = ("", candidate) if value is None else (f" of {said}", peer)
            clauses.append(f"no {metric}{whose} ({_why_not(models[model])}) to compare with {bar}")
        else:
            difference = of_slice["differences"][peer][key]
            gain, lower = _gain(difference, higher_is_better)
            clause = f"{metric} {value:.6g}, a gain of {gain:+.6g} over {said}"
            if threshold.at == "estimate":
                if gain < needed:
                    clauses.append(f"{clause}, is below {bar}")
            elif lower is None:
                clauses.append(f"{clause} of no known interval, to compare with {bar}")
            elif lower < needed:
                interval = f"whose 95 % interval begins at {lower:+.6g}"
                clauses.append(f"{clause} {interval}, is below {bar}")
    return clauses


def _gain(difference: Mapping[str, Any], higher_is_better: bool) -> tuple[float, float | None]:
    """By how much a metric is better, and the lower end of that."""
    if higher_is_better:
        return difference["estimate"], difference["low"]
    lower = None if difference["high"] is None else -difference["high"]
    return -difference["estimate"], lower


def _why_not(model: Mapping[str, Any]) -> str:
    """Why a model has not the metric."""
    return model.get("why_not", "no user has impressions to compare")
