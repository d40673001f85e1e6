"""The thresholds that keep a ranker from being blessed."""

from collections.abc import Mapping

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import ThresholdConfig
from semantic_id_ranking.pipeline.run_summary import SliceMetric


def missed_thresholds(
    ranker: Mapping[str, Mapping[str, SliceMetric]],
    baseline: Mapping[str, Mapping[str, SliceMetric]],
    config: Config,
) -> list[str]:
    """Compares metrics with the configured thresholds, as the Evaluator does.

    Args:
        ranker: Task -> slice -> metric.
        baseline: The same of the baseline.
        config: Has the thresholds.

    Returns:
        A clause for each threshold that is missed: task, slice, value and threshold.
    """
    binary = {task.name for task in config.tasks if task.type == "binary"}
    if not config.effective_thresholds:
        return ["no threshold is configured, and nothing is blessed without one"]
    missed = []
    for threshold in config.effective_thresholds:
        task, slice_name = threshold.task, threshold.slice
        clauses = _missed(
            threshold, ranker[task][slice_name], baseline[task][slice_name], task in binary
        )
        missed += [f"task {task}, slice {slice_name}: {clause}" for clause in clauses]
    return missed


def _missed(
    threshold: ThresholdConfig,
    ranker: SliceMetric,
    baseline: SliceMetric,
    higher_is_better: bool,
) -> list[str]:
    metric = ranker.metric.upper()
    value, other = ranker.value, baseline.value
    clauses = []
    if (needed := threshold.value) is not None:
        if value is None:
            clauses.append(f"no {metric} ({ranker.why_not}), and the threshold is {needed}")
        elif value < needed if higher_is_better else value > needed:
            side = "below" if higher_is_better else "above"
            clauses.append(f"{metric} {value:.6g} is {side} the threshold {needed}")
    if (needed := threshold.change) is not None:
        bar = f"the threshold of a gain of {needed:+}"
        if value is None or other is None:
            whose, of = ("", ranker) if value is None else (" of the baseline", baseline)
            clauses.append(f"no {metric}{whose} ({of.why_not}) to compare with {bar}")
        elif (gain := value - other if higher_is_better else other - value) < needed:
            clauses.append(
                f"{metric} {value:.6g}, a gain of {gain:+.6g} over the baseline, is below {bar}"
            )
    return clauses
