"""The summary of a run: `summary.json`, and the same as a table."""

import json
import os
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

import rich.table
from tfx.utils import path_utils

from semantic_id_ranking.components.ranking_evaluator.executor import METRICS_FILE
from semantic_id_ranking.components.ranking_evaluator.parameters import CANDIDATE
from semantic_id_ranking.contracts.json_model import JsonModel
from semantic_id_ranking.evaluation.evaluation_spec import ITEM_RATE
from semantic_id_ranking.pipeline.days.ledger import trainer_of
from semantic_id_ranking.pipeline.evaluation_summary import evaluation_summary
from semantic_id_ranking.pipeline.evaluation_summary import metrics_table
from semantic_id_ranking.pipeline.evaluation_summary import slice_metrics
from semantic_id_ranking.pipeline.run_records import RunRecords
from semantic_id_ranking.pipeline.run_summary import ImpressionCounts
from semantic_id_ranking.pipeline.run_summary import ModelSummary
from semantic_id_ranking.pipeline.run_summary import RunOrigin
from semantic_id_ranking.pipeline.run_summary import RunSummary
from semantic_id_ranking.pipeline.run_summary import SidSummary
from semantic_id_ranking.pipeline.run_summary import Split
from semantic_id_ranking.pipeline.run_summary import TokenizerSummary
from semantic_id_ranking.trainer.rqvae.semantic_id_report import SemanticIdReport

Part = TypeVar("Part", bound=JsonModel)


def make_summary(
    records: RunRecords,
    seconds: Mapping[str, float],
    inputs: dict[str, dict[str, int]],
    made_of: RunOrigin,
    pushed: Mapping[str, str | None],
) -> RunSummary:
    """Collects the results of a run.

    Args:
        records: What ML Metadata recorded of it.
        seconds: Component id -> wall seconds.
        inputs: What the readers of the inputs counted, from `input_report`.
        made_of: All that it depends on.
        pushed: Version folder of each model, by name; None for one that was not pushed.
    """
    report_uri = records.output("SidAnalyzer", "report").uri
    report = SemanticIdReport.from_json(_read(report_uri, "report.json"))
    tokenizer_uri = records.output("SidTokenizerTrainer", "model").uri
    tokenizer = _read_json(path_utils.serving_model_dir(tokenizer_uri), "tokenizer.json")
    metrics = _read_json(records.output("RankingEvaluator", "evaluation").uri, METRICS_FILE)
    blessed = records.output("RankingEvaluator", "blessing").properties.get("blessed") == 1
    join = _read_json(records.output("FeatureJoiner", "state").uri, "join.json")

    def model(model_name: str, trainer: str) -> ModelSummary:
        run = _read_json(records.output(trainer, "model_run").uri, "metrics.json")
        return ModelSummary(
            representation=run["representation"],
            table_rows=run["table_rows"],
            metrics=slice_metrics(metrics, model_name),
        )

    ranker = model(CANDIDATE, trainer_of("ranker"))
    models = {"ranker": ranker}
    for name in metrics["baselines"]:
        if name == ITEM_RATE:
            of_rate = slice_metrics(metrics, name)
            models[name] = ModelSummary(representation=name, table_rows=0, metrics=of_rate)
        else:
            models[name] = model(name, trainer_of(name))
    return RunSummary(
        run_id=records.run_id,
        impressions=_part(ImpressionCounts, join),
        sid=_part(SidSummary, report.to_json()),
        tokenizer=_part(TokenizerSummary, tokenizer),
        models=models,
        evaluation=evaluation_summary(metrics, ranker),
        blessed=blessed,
        missed=metrics["missed"],
        pushed=dict(pushed),
        seconds={component: round(value, 2) for component, value in seconds.items()},
        inputs=inputs,
        made_of=made_of,
    )


def _part(kind: type[Part], content: Mapping[str, Any]) -> Part:
    """The part of a component's own file that a summary has."""
    return kind.model_validate({name: content[name] for name in kind.model_fields})


def tables(summary: RunSummary) -> list[rich.table.Table]:
    """The summary for people: impressions, Semantic IDs, each metric beside a baseline's."""
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

    return [_impressions(summary.impressions), facts, metrics_table(summary)]


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


def _read_json(directory: str, name: str) -> dict[str, Any]:
    return json.loads(_read(directory, name))


def _read(directory: str, name: str) -> str:
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return file.read()
