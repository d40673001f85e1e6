"""Rows of a day's metrics, one a task, slice and model."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from semantic_id_ranking.evaluation.metric_names import METRICS

_COUNTS = ("examples", "positives", "negatives", "users", "items")
_OTHERS = ("ece", "mean_prediction", "mean_label", "prediction_over_label")


def day_rows(report: Mapping[str, Any], day: Any) -> Iterator[dict[str, Any]]:
    """The metrics of each model, as rows of a table that grows by a day.

    A model's row does not depend on the models that it was evaluated beside.

    Args:
        report: As `make_report` makes it, of the impressions of one day.
        day: What is to stand in the column `day`.

    Yields:
        `day`, `task`, `slice`, `model`, the counts, every metric of any type of task, `ece` and the
        means; None where there is none.
    """
    metrics = [metric for of_kind in METRICS.values() for metric in of_kind]
    for task, of_task in report["tasks"].items():
        for name, of_slice in of_task["slices"].items():
            for model, values in of_slice["models"].items():
                yield {
                    "day": day,
                    "task": task,
                    "slice": name,
                    "model": model,
                    **{count: of_slice.get(count) for count in _COUNTS},
                    **{key: values.get(key) for key in (*metrics, *_OTHERS)},
                }
