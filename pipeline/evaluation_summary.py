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
from semantic_id_ranking.pipeline.run_summary import Difference
from semantic_id_ranking.pipeline.run_summary import EvaluationSummary
from semantic_id_ranking.pipeline.run_summary import ModelSummary
from semantic_id_ranking.pipeline.run_summary import RunSummary
from semantic_id_ranking.pipeline.run_summary import SliceComparison
from semantic_id_ranking.pipeline.run_summary import SliceMetric

CANDIDATE = "candidate"
BASELINE = "baseline"
# A summary has no curves and no days; `metrics.json` has.
_LEFT_OUT = ("calibration_curve", "days")


def slice_metrics(report: Mapping[str, Any], model: str) -> dict[str, dict[str, SliceMetric]]:
    """A model's metrics, by task and slice.

    Args:
        report: The content of `metrics.json`.
        model: "candidate" or "baseline".
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


def evaluation_summary(
    report: Mapping[str, Any], ranker: ModelSummary, baseline: ModelSummary
) -> EvaluationSummary:
    """The comparison of the two.

    Args:
        report: The content of `metrics.json`.
        ranker: The candidate.
        baseline: The baseline.
    """
    names = {CANDIDATE: ranker.representation, BASELINE: baseline.representation}
    return EvaluationSummary(
        headline=headline(report, BASELINE, names),
        slices={
            task: {
                name: SliceComparison.model_validate(
                    {key: of_slice[key] for key in SliceComparison.model_fields if key in of_slice}
                    | {"differences": of_slice["differences"][BASELINE]}
                )
                for name, of_slice in of_task["slices"].items()
            }
            for task, of_task in report["tasks"].items()
        },
        limits=report["limits"],
    )


def metrics_table(summary: RunSummary) -> rich.table.Table:
    """Each metric beside the baseline's: all of them over all impressions, AUC or RMSE by slice."""
    ranker, baseline = summary.models["ranker"], summary.models["baseline"]
    table = rich.table.Table(
        title=f"Ranker: {_describe(ranker)}. Baseline: {_describe(baseline)}.",
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
    cautions = []
    for task, slices in summary.evaluation.slices.items():
        for name, compared in slices.items():
            own, other = ranker.metrics[task][name], baseline.metrics[task][name]
            kind = "binary" if own.metric == "auc" else "regression"
            for metric in METRICS[kind] if name == ALL else [own.metric]:
                cells = [task, name, NAMES[metric], str(compared.examples)]
                difference = compared.differences[metric]
                values = [getattr(one, metric) for one in (own, other)]
                numbers = ["-" if value is None else f"{value:.4f}" for value in values]
                table.add_row(*cells, *numbers, _difference(difference))
            if compared.caution:
                cautions.append(f"No claim on {task}, {name}: {compared.caution}.")
    table.caption = "\n".join([*cautions, *summary.evaluation.limits])
    return table


def _difference(difference: Difference) -> str:
    return "-" if difference.estimate is None else describe(difference.to_json())


def _describe(model: ModelSummary) -> str:
    return f"{model.representation}, {model.table_rows} rows"
