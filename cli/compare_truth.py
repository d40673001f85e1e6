"""`sid compare-truth`: how much of the best possible metrics the rankers of a run reach."""

import json
import os
from collections.abc import Mapping
from typing import Any

import rich.box
import rich.console
import rich.table

from semantic_id_ranking.cli.truth_columns import read_truth
from semantic_id_ranking.components.ranking_evaluator.prediction_table import read_predictions
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.evaluation import slice_sums
from semantic_id_ranking.evaluation.attainable import CHANCE
from semantic_id_ranking.evaluation.attainable import shares_reached
from semantic_id_ranking.evaluation.attainable import TRUTH
from semantic_id_ranking.evaluation.attainable import with_truth
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.metric_names import METRICS
from semantic_id_ranking.evaluation.metric_names import NAMES
from semantic_id_ranking.evaluation.predictions import concatenate
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.evaluation.slices import ALL
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.pipeline.artifact_folder import artifact_key
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.input_config import ColumnsConfig
from semantic_id_ranking.pipeline.run_records import RunRecords
from semantic_id_ranking.pipeline.run_summary import RunSummary

#: Name of the candidate for people.
_RANKER = "ranker"


def compare_truth(run: str, truth: str, console: rich.console.Console) -> dict[str, Any]:
    """Evaluates the predictions of a run beside the best possible ones.

    Args:
        run: Output folder of the run.
        truth: Parquet of what is expected of each label, with user, item and time.
        console: Where the table goes.

    Returns:
        `tasks`: task -> slice -> `examples`; `caution`, why the slice carries no claim, or null;
        `metrics`: "ranker", a baseline or "truth" -> metric -> value; and `reached`: "ranker" or a
        baseline -> metric -> share of what the truth has over a model that knows nothing.

    Raises:
        InputError: There is no such run, or the truth is not that of its impressions.
    """
    run = os.path.abspath(run)
    directory, report, config = _read_run(run)
    data = DataSet.open(truth)
    labels = {task["name"]: task["label"] for task in config["tasks"] if data.has(task["label"])}
    if not labels:
        names = ", ".join(task["label"] for task in config["tasks"])
        raise InputError(f"{truth}: has no column of a label of the run; expected {names}")
    kinds = {task: report["tasks"][task]["type"] for task in labels}
    slices = next(iter(report["tasks"].values()))["slices"]
    spec = EvaluationSpec(kinds, tuple(slices[ALL]["models"]), tuple(slices))
    parts = list(read_predictions(directory, spec))
    if not parts:
        raise InputError(f"{directory}: the predictions of the run are no longer there")
    predictions = concatenate(parts)
    columns = ColumnsConfig(**config["columns"])
    known = read_truth(data, columns, labels, int(predictions["time"].min()))
    predictions = with_truth(predictions, known, truth)
    spec = EvaluationSpec(kinds, (*spec.models, TRUTH), spec.slices)
    histograms = slice_sums.histograms(predictions, spec)
    sums = slice_sums.slice_sums(predictions, spec, histograms)
    tasks = {
        task: {
            name: _of_slice(of_slice, METRICS[kinds[task]])
            for name, of_slice in of_task["slices"].items()
        }
        for task, of_task in make_report(spec, histograms, sums)["tasks"].items()
    }
    _print(tasks, console)
    return {"tasks": tasks}


def _read_run(run: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Folder of the predictions, content of `metrics.json`, configuration."""
    try:
        summary = RunSummary.read(os.path.join(run, "summary.json"))
    except FileNotFoundError:
        raise InputError(f"{run}: holds no summary.json; name the output folder of a run") from None
    destinations = Destinations.under(run)
    records = RunRecords(destinations.metadata, summary.run_id)

    def folder(output: str) -> str:
        uri = records.output("RankingEvaluator", output).uri
        # The output folder of the run may have moved.
        return os.path.join(destinations.root, artifact_key(uri))

    with open(os.path.join(folder("evaluation"), "metrics.json"), encoding="utf-8") as file:
        return folder("predictions"), json.load(file), summary.made_of.config


def _of_slice(of_slice: Mapping[str, Any], metrics: Mapping[str, bool]) -> dict[str, Any]:
    candidate, *others = of_slice["models"]
    names = {candidate: _RANKER, **{other: other for other in others}}
    models = {names[model]: found for model, found in of_slice["models"].items()}
    return {
        "examples": of_slice["examples"],
        "caution": of_slice["caution"],
        "metrics": {model: {m: found[m] for m in metrics} for model, found in models.items()},
        "reached": shares_reached(models),
    }


def _print(tasks: Mapping[str, Any], console: rich.console.Console) -> None:
    table = rich.table.Table(
        title="The truth is the best possible prediction; in brackets the share that is reached of "
        "what it has over knowing nothing.",
        title_justify="left",
        caption_justify="left",
        box=rich.box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for column in ("task", "slice"):
        table.add_column(column, no_wrap=True)
    table.add_column("metric")
    models = _models(tasks)
    for column in models:
        table.add_column(column, justify="right", no_wrap=True)
    cautions = []
    for task, slices in tasks.items():
        for name, of_slice in slices.items():
            metrics = list(of_slice["metrics"][TRUTH])
            wanted = [m for m in metrics if m in CHANCE] if name == ALL else []
            for metric in wanted or metrics[:1]:
                cells = [_cell(of_slice, model, metric) for model in models]
                table.add_row(task, name, NAMES[metric], *cells)
            if of_slice["caution"]:
                cautions.append(f"No claim on {task}, {name}: {of_slice['caution']}.")
    table.caption = "\n".join(cautions)
    console.print(table)


def _models(tasks: Mapping[str, Any]) -> list[str]:
    """Of all tasks, the truth first: a baseline may have nothing to say of some."""
    of_slices = (of_slice for slices in tasks.values() for of_slice in slices.values())
    found = dict.fromkeys(model for of_slice in of_slices for model in of_slice["metrics"])
    return [TRUTH, *(model for model in found if model != TRUTH)]


def _cell(of_slice: Mapping[str, Any], model: str, metric: str) -> str:
    value = of_slice["metrics"].get(model, {}).get(metric)
    share = of_slice["reached"].get(model, {}).get(metric)
    number = "-" if value is None else f"{value:.4f}"
    return number if share is None else f"{number} ({share:.0%})"
