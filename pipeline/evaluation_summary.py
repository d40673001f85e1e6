"""The evaluation's part of a run's summary, made of `metrics.json`, and its table."""

from collections.abc import Mapping
from typing import Any

import rich.box
import rich.table

from semantic_id_ranking.evaluation.headline import describe
from semantic_id_ranking.evaluation.headline import headline
from semantic_id_ranking.evaluation.metric_names import METRICS
from semantic_id_ranking.evaluation.metric_names import NAMES
from semantic_id_ranking.evaluation.slices import ALL
from semantic_id_ranking.evaluation.strongest import strongest
from semantic_id_ranking.pipeline.run_summary import Difference
from semantic_id_ranking.pipeline.run_summary import EvaluationSummary
from semantic_id_ranking.pipeline.run_summary import ModelSummary
from semantic_id_ranking.pipeline.run_summary import RunSummary
from semantic_id_ranking.pipeline.run_summary import SliceComparison
from semantic_id_ranking.pipeline.run_summary import SliceMetric

# A summary has no curves and no days; `metrics.json` has.
_LEFT_OUT = ("calibration_curve", "days")


def slice_metrics(report: Mapping[str, Any], model: str) -> dict[str, dict[str, SliceMetric]]:
    """A model's metrics, by task and slice.

    Args:
        report: The content of `metrics.json`.
        model: `CANDIDATE` or a baseline.
    """
    return {
        task: {
            name: SliceMetric.model_validate(
                {key: v for key, v in of_slice["models"][model].items() if key not in _LEFT_OUT}
                | {"examples": of_slice["examples"]}
            )
            for name, of_slice in of_task["slices"].items()
        }
        for task, of_task in report["tasks"].items()
    }


def evaluation_summary(report: Mapping[str, Any], ranker: ModelSummary) -> EvaluationSummary:
    """The comparison of the ranker with the baselines.

    Args:
        report: The content of `metrics.json`.
        ranker: The candidate.
    """
    return EvaluationSummary(
        headline=headline(report, ranker.representation),
        strongest={
            task: strongest(of_task["slices"][ALL], of_task["type"], report["baselines"])
            for task, of_task in report["tasks"].items()
        },
        slices={
            task: {
                name: SliceComparison.model_validate(
                    {key: of_slice[key] for key in SliceComparison.model_fields if key in of_slice}
                )
                for name, of_slice in of_task["slices"].items()
            }
            for task, of_task in report["tasks"].items()
        },
        limits=report["limits"],
    )


def metrics_table(summary: RunSummary) -> rich.table.Table:
    """Each metric beside the strongest baseline's.

    All of them over all impressions, AUC or RMSE by slice; and below the table, AUC or RMSE over
    all impressions beside that of every baseline.
    """
    ranker, peers = summary.models["ranker"], summary.evaluation.strongest
    table = rich.table.Table(
        title=f"Ranker: {_describe(ranker)}. Baselines: {_baselines(summary)}.",
        title_justify="left",
        caption_justify="left",
        box=rich.box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for column in ("task", "slice", "metric"):
        table.add_column(column)
    for column in ("examples", "ranker", "baseline", "difference, 95 %"):
        table.add_column(column, justify="right", no_wrap=True)
    notes, cautions = [], []
    for task, slices in summary.evaluation.slices.items():
        for name, compared in slices.items():
            own = ranker.metrics[task][name]
            other = summary.models[peers[task]].metrics[task][name]
            differences = compared.differences[peers[task]]
            kind = "binary" if own.metric == "auc" else "regression"
            for metric in METRICS[kind] if name == ALL else [own.metric]:
                cells = [task, name, NAMES[metric], str(compared.examples)]
                values = [getattr(one, metric) for one in (own, other)]
                numbers = ["-" if value is None else f"{value:.4f}" for value in values]
                table.add_row(*cells, *numbers, _difference(differences[metric]))
            if name == ALL:
                notes.append(_beside_all(task, own.metric, summary))
            if compared.caution:
                cautions.append(f"No claim on {task}, {name}: {compared.caution}.")
    table.caption = "\n".join([*notes, *cautions, *summary.evaluation.limits])
    return table


def _beside_all(task: str, metric: str, summary: RunSummary) -> str:
    """A task's metric over all impressions beside that of every baseline."""
    differences = summary.evaluation.slices[task][ALL].differences
    parts = []
    for name, of_baseline in differences.items():
        value = summary.models[name].metrics[task][ALL].value
        number = "-" if value is None else f"{value:.4f}"
        parts.append(f"{name} {number}, difference {_difference(of_baseline[metric])}")
    peer = summary.evaluation.strongest[task]
    return f"{NAMES[metric]} of {task}: {'; '.join(parts)}. In the table: {peer}."


def _baselines(summary: RunSummary) -> str:
    names = [name for name in summary.models if name != "ranker"]
    rows = (summary.models[name].table_rows for name in names)
    return "; ".join(
        f"{name}, {of_table} rows" if of_table else name
        for name, of_table in zip(names, rows, strict=True)
    )


def _difference(difference: Difference) -> str:
    return "-" if difference.estimate is None else describe(difference.to_json())


def _describe(model: ModelSummary) -> str:
    return f"{model.representation}, {model.table_rows} rows"
