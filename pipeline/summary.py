"""The summary of a run: `summary.json`, and the same as a table."""

import json
import math
import os
from typing import Any

import rich.table
import tensorflow_model_analysis as tfma
from tfx.utils import path_utils

from semantic_id_ranking.components.model_pusher.executor import PUSHED_BEFORE
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import SLICES
from semantic_id_ranking.pipeline.evaluation import BASELINE
from semantic_id_ranking.pipeline.evaluation import CANDIDATE
from semantic_id_ranking.pipeline.evaluation import METRICS
from semantic_id_ranking.pipeline.evaluation import output_name
from semantic_id_ranking.pipeline.evaluation import SLICE_FEATURES
from semantic_id_ranking.pipeline.missed_thresholds import missed_thresholds
from semantic_id_ranking.pipeline.run_records import RunRecords

_REPORTED_NAMES = {
    "ranker": (CANDIDATE, "Trainer.ranker"),
    "baseline": (BASELINE, "Trainer.baseline"),
}


def make_summary(records: RunRecords, config: Config, seconds: dict[str, float]) -> dict[str, Any]:
    """Collects the results of a run.

    Args:
        records: What ML Metadata recorded of it.
        config: Its configuration.
        seconds: Component id -> wall seconds.

    Returns:
        The content of `summary.json`, documented in docs/reference/run-summary.md.
    """
    report = _read_json(records.output("SidAnalyzer", "report").uri, "report.json")
    tokenizer_uri = records.output("SidTokenizerTrainer", "model").uri
    tokenizer = _read_json(path_utils.serving_model_dir(tokenizer_uri), "tokenizer.json")
    evaluation = records.output("Evaluator", "evaluation").uri
    blessed = records.output("Evaluator", "blessing").properties.get("blessed") == 1
    join = _read_json(records.output("FeatureJoiner", "histories").uri, "join.json")
    models = {}
    for name, (model_name, trainer) in _REPORTED_NAMES.items():
        run = _read_json(records.output(trainer, "model_run").uri, "metrics.json")
        models[name] = {
            "representation": run["representation"],
            "table_rows": run["table_rows"],
            "metrics": _metrics(evaluation, model_name, config),
        }
    ranker, baseline = (models[name]["metrics"] for name in ("ranker", "baseline"))
    return {
        "run_id": records.run_id,
        "impressions": {
            key: join[key] for key in ("joined", "unknown_items", "without_user", "masked_labels")
        },
        "sid": {
            key: report[key]
            for key in (
                "levels",
                "codebook_size",
                "fingerprint",
                "unique_fraction",
                "codebook_use",
                "reconstruction",
                "reconstruction_median",
                "outlying_items",
                "idle_levels",
            )
        },
        "tokenizer": {
            key: tokenizer[key]
            for key in ("pieces", "multi_code_pieces", "mean_pieces_per_impression")
        },
        "models": models,
        "blessed": blessed,
        "missed": [] if blessed else missed_thresholds(ranker, baseline, config),
        "pushed": {name: _pushed(records, name) for name in ("ranker", "semantic_id")},
        "seconds": {component: round(value, 2) for component, value in seconds.items()},
    }


def tables(summary: dict[str, Any]) -> list[rich.table.Table]:
    """The summary for people: impressions, Semantic IDs, each metric beside the baseline's."""
    sid, tokenizer = summary["sid"], summary["tokenizer"]
    facts = rich.table.Table(title="Semantic IDs", title_justify="left", show_header=False)
    facts.add_row("space", sid["fingerprint"])
    facts.add_row("levels x codes", f"{sid['levels']} x {sid['codebook_size']}")
    facts.add_row("codes in use", ", ".join(f"{use:.0%}" for use in sid["codebook_use"]))
    facts.add_row("items with a SID of their own", f"{sid['unique_fraction']:.1%}")
    facts.add_row(
        "relative reconstruction error",
        f"{sid['reconstruction']:.3f}, median {sid['reconstruction_median']:.3f}",
    )
    if sid["outlying_items"]:
        facts.add_row("items far from all others", f"{sid['outlying_items']}, left out of training")
    if sid["idle_levels"]:
        levels = ", ".join(str(level + 1) for level in sid["idle_levels"])
        facts.add_row("levels with hardly a code in use", levels)
    facts.add_row(
        "pieces", f"{tokenizer['pieces']} ({tokenizer['multi_code_pieces']} of several codes)"
    )
    facts.add_row("pieces an impression", f"{tokenizer['mean_pieces_per_impression']:.2f}")

    ranker, baseline = summary["models"]["ranker"], summary["models"]["baseline"]
    metrics = rich.table.Table(
        title=f"Ranker: {_describe(ranker)}. Baseline: {_describe(baseline)}.",
        title_justify="left",
    )
    for column in ("task", "slice", "metric"):
        metrics.add_column(column)
    for column in ("examples", "ranker", "baseline", "difference"):
        metrics.add_column(column, justify="right")
    for task, slices in ranker["metrics"].items():
        for slice_name, values in slices.items():
            other = baseline["metrics"][task][slice_name]
            metric = "auc" if "auc" in values else "rmse"
            cells = [task, slice_name, metric, str(values["examples"])]
            if values[metric] is None:
                metrics.add_row(*cells, "-", "-", values["why_not"])
            else:
                difference = values[metric] - other[metric]
                metrics.add_row(
                    *cells, f"{values[metric]:.4f}", f"{other[metric]:.4f}", f"{difference:+.4f}"
                )
    return [_impressions(summary["impressions"]), facts, metrics]


def _impressions(counts: dict[str, Any]) -> rich.table.Table:
    table = rich.table.Table(title="Impressions", title_justify="left")
    table.add_column("")
    for column in ("training", "evaluation"):
        table.add_column(column, justify="right")
    splits = ("train", "eval")
    table.add_row("of known items", *(str(counts["joined"][split]) for split in splits))
    table.add_row("without a user", *(str(counts["without_user"][split]) for split in splits))
    masked = [counts["masked_labels"][split] for split in splits]
    for task in masked[0]:
        table.add_row(f"without a label of {task}", *(str(of_split[task]) for of_split in masked))
    return table


def _describe(model: dict[str, Any]) -> str:
    return f"{model['representation']}, {model['table_rows']} rows"


def _metrics(evaluation: str, model_name: str, config: Config) -> dict[str, Any]:
    """Metric and number of examples of each task and slice, of one model."""
    result = tfma.load_eval_result(evaluation, model_name=model_name)
    by_slice = dict(result.slicing_metrics)
    metrics: dict[str, Any] = {}
    for task in config.tasks:
        name, class_name = METRICS[task.type]
        metrics[task.name] = {}
        for slice_name in SLICES:
            feature = SLICE_FEATURES[slice_name]
            found = by_slice.get((feature,) if feature else (), {})
            found = found.get(output_name(task, config), {}).get("", {})
            value = lambda key, found=found: next(  # noqa: E731
                (v["doubleValue"] for k, v in found.items() if k == key and "doubleValue" in v),
                None,
            )
            metrics[task.name][slice_name] = _entry(
                name,
                value(_tfma_name(class_name)),
                int(value("example_count") or 0),
                value("mean_label") if task.type == "binary" else None,
            )
    return metrics


def _entry(
    metric: str, value: float | None, examples: int, mean_label: float | None
) -> dict[str, Any]:
    """A metric of a slice, or None and the reason why there is none."""
    why_not = None
    if not examples:
        why_not = "no examples"
    elif mean_label in (0.0, 1.0):
        why_not = f"every label is {mean_label:.0f}"
    elif value is None or math.isnan(value):
        why_not = "not computed"
    if why_not:
        return {metric: None, "examples": examples, "why_not": why_not}
    return {metric: value, "examples": examples}


def _tfma_name(class_name: str) -> str:
    return {"AUC": "auc", "RootMeanSquaredError": "root_mean_squared_error"}[class_name]


def idle_pushers(records: RunRecords) -> list[str]:
    """Components that found the model of this run pushed already."""
    pushers = [f"Pusher.{name}" for name in ("ranker", "semantic_id")]
    return [
        pusher
        for pusher in pushers
        if records.output(pusher, "pushed_model").properties.get(PUSHED_BEFORE) == 1
    ]


def _pushed(records: RunRecords, name: str) -> str | None:
    """The version folder of a pushed model; None if it was not pushed."""
    output = records.output(f"Pusher.{name}", "pushed_model").properties
    return output.get("pushed_destination") if output.get("pushed") == 1 else None


def _read_json(directory: str, name: str) -> dict[str, Any]:
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return json.load(file)
