"""The summary of a run: `summary.json`, and the same as a table."""

import json
import math
import os
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

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
from semantic_id_ranking.pipeline.json_model import JsonModel
from semantic_id_ranking.pipeline.missed_thresholds import missed_thresholds
from semantic_id_ranking.pipeline.run_records import RunRecords
from semantic_id_ranking.pipeline.run_summary import ImpressionCounts
from semantic_id_ranking.pipeline.run_summary import ModelSummary
from semantic_id_ranking.pipeline.run_summary import RunSummary
from semantic_id_ranking.pipeline.run_summary import SidSummary
from semantic_id_ranking.pipeline.run_summary import SliceMetric
from semantic_id_ranking.pipeline.run_summary import Split
from semantic_id_ranking.pipeline.run_summary import TokenizerSummary
from semantic_id_ranking.trainer.rqvae.semantic_id_report import SemanticIdReport

Part = TypeVar("Part", bound=JsonModel)


def make_summary(
    records: RunRecords,
    config: Config,
    seconds: Mapping[str, float],
    inputs: dict[str, dict[str, int]],
) -> RunSummary:
    """Collects the results of a run.

    Args:
        records: What ML Metadata recorded of it.
        config: Its configuration.
        seconds: Component id -> wall seconds.
        inputs: What the readers of the inputs counted, from `input_report`.
    """
    report_uri = records.output("SidAnalyzer", "report").uri
    report = SemanticIdReport.from_json(_read(report_uri, "report.json"))
    tokenizer_uri = records.output("SidTokenizerTrainer", "model").uri
    tokenizer = _read_json(path_utils.serving_model_dir(tokenizer_uri), "tokenizer.json")
    evaluation = records.output("Evaluator", "evaluation").uri
    blessed = records.output("Evaluator", "blessing").properties.get("blessed") == 1
    join = _read_json(records.output("FeatureJoiner", "histories").uri, "join.json")

    def model(model_name: str, trainer: str) -> ModelSummary:
        run = _read_json(records.output(trainer, "model_run").uri, "metrics.json")
        return ModelSummary(
            representation=run["representation"],
            table_rows=run["table_rows"],
            metrics=_metrics(evaluation, model_name, config),
        )

    ranker = model(CANDIDATE, "Trainer.ranker")
    baseline = model(BASELINE, "Trainer.baseline")
    return RunSummary(
        run_id=records.run_id,
        impressions=_part(ImpressionCounts, join),
        sid=_part(SidSummary, report.to_json()),
        tokenizer=_part(TokenizerSummary, tokenizer),
        models={"ranker": ranker, "baseline": baseline},
        blessed=blessed,
        missed=[] if blessed else missed_thresholds(ranker.metrics, baseline.metrics, config),
        pushed={
            "ranker": _pushed(records, "ranker"),
            "semantic_id": _pushed(records, "semantic_id"),
        },
        seconds={component: round(value, 2) for component, value in seconds.items()},
        inputs=inputs,
    )


def _part(kind: type[Part], content: Mapping[str, Any]) -> Part:
    """The part of a component's own file that a summary has."""
    return kind.model_validate({name: content[name] for name in kind.model_fields})


def tables(summary: RunSummary) -> list[rich.table.Table]:
    """The summary for people: impressions, Semantic IDs, each metric beside the baseline's."""
    sid, tokenizer = summary.sid, summary.tokenizer
    facts = rich.table.Table(title="Semantic IDs", title_justify="left", show_header=False)
    facts.add_row("space", sid.fingerprint)
    facts.add_row("levels x codes", f"{sid.levels} x {sid.codebook_size}")
    facts.add_row("codes in use", ", ".join(f"{use:.0%}" for use in sid.codebook_use))
    facts.add_row("items with a SID of their own", f"{sid.unique_fraction:.1%}")
    facts.add_row(
        "relative reconstruction error",
        f"{sid.reconstruction:.3f}, median {sid.reconstruction_median:.3f}",
    )
    if sid.outlying_items:
        facts.add_row("items far from all others", f"{sid.outlying_items}, left out of training")
    if sid.idle_levels:
        levels = ", ".join(str(level + 1) for level in sid.idle_levels)
        facts.add_row("levels with hardly a code in use", levels)
    facts.add_row("pieces", f"{tokenizer.pieces} ({tokenizer.multi_code_pieces} of several codes)")
    facts.add_row("pieces an impression", f"{tokenizer.mean_pieces_per_impression:.2f}")

    ranker, baseline = summary.models["ranker"], summary.models["baseline"]
    metrics = rich.table.Table(
        title=f"Ranker: {_describe(ranker)}. Baseline: {_describe(baseline)}.",
        title_justify="left",
    )
    for column in ("task", "slice", "metric"):
        metrics.add_column(column)
    for column in ("examples", "ranker", "baseline", "difference"):
        metrics.add_column(column, justify="right")
    for task, slices in ranker.metrics.items():
        for slice_name, own in slices.items():
            other = baseline.metrics[task][slice_name]
            cells = [task, slice_name, own.metric, str(own.examples)]
            if own.value is None or other.value is None:
                metrics.add_row(*cells, "-", "-", own.why_not or other.why_not)
            else:
                difference = own.value - other.value
                metrics.add_row(
                    *cells, f"{own.value:.4f}", f"{other.value:.4f}", f"{difference:+.4f}"
                )
    return [_impressions(summary.impressions), facts, metrics]


def _impressions(counts: ImpressionCounts) -> rich.table.Table:
    table = rich.table.Table(title="Impressions", title_justify="left")
    table.add_column("")
    for column in ("training", "evaluation"):
        table.add_column(column, justify="right")
    splits: tuple[Split, ...] = ("train", "eval")
    table.add_row("of known items", *(str(counts.joined[split]) for split in splits))
    table.add_row("without a user", *(str(counts.without_user[split]) for split in splits))
    masked = [counts.masked_labels[split] for split in splits]
    for task in masked[0]:
        table.add_row(f"without a label of {task}", *(str(of_split[task]) for of_split in masked))
    return table


def _describe(model: ModelSummary) -> str:
    return f"{model.representation}, {model.table_rows} rows"


def _metrics(evaluation: str, model_name: str, config: Config) -> dict[str, dict[str, SliceMetric]]:
    """Metric and number of examples of each task and slice, of one model."""
    result = tfma.load_eval_result(evaluation, model_name=model_name)
    by_slice = dict(result.slicing_metrics)
    metrics: dict[str, dict[str, SliceMetric]] = {}
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
) -> SliceMetric:
    """A metric of a slice, or None and the reason why there is none."""
    why_not = None
    if not examples:
        why_not = "no examples"
    elif mean_label in (0.0, 1.0):
        why_not = f"every label is {mean_label:.0f}"
    elif value is None or math.isnan(value):
        why_not = "not computed"
    if why_not:
        return SliceMetric.model_validate({metric: None, "examples": examples, "why_not": why_not})
    return SliceMetric.model_validate({metric: value, "examples": examples})


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
    return str(output["pushed_destination"]) if output.get("pushed") == 1 else None


def _read_json(directory: str, name: str) -> dict[str, Any]:
    return json.loads(_read(directory, name))


def _read(directory: str, name: str) -> str:
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return file.read()
