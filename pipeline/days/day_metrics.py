"""`days.parquet`: metrics of the served ranker and of the baselines, a day after the other."""

import json
import os
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from semantic_id_ranking.components.ranking_evaluator.executor import METRICS_FILE
from semantic_id_ranking.evaluation.day_rows import day_rows
from semantic_id_ranking.evaluation.missed_thresholds import SERVED
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.run_records import RunRecords

DAYS = "days.parquet"


def add_day_metrics(output: str, records: RunRecords, record: DayRecord) -> Mapping[str, Any]:
    """Puts the metrics of a day behind those of the days before it.

    Args:
        output: The output folder.
        records: What was recorded of the day's run.
        record: The day; rows of it and of later days, which it follows no more, are replaced.

    Returns:
        The content of the day's `metrics.json`.
    """
    folder = records.output("DayEvaluator", "evaluation").uri
    with open(os.path.join(folder, METRICS_FILE), encoding="utf-8") as file:
        metrics: Mapping[str, Any] = json.load(file)
    # What is served is the candidate of a day's evaluation.
    names = {metrics["candidate"]: SERVED}
    rows = [
        {**row, "model": names.get(row["model"], row["model"])}
        for row in day_rows(metrics, record.start)
    ]
    path = os.path.join(output, DAYS)
    if os.path.exists(path):
        earlier = pq.ParquetFile(path).read().to_pylist()
        rows = [*(row for row in earlier if row["day"] < record.start), *rows]
    partial = f"{path}.partial"
    pq.write_table(pa.Table.from_pylist(rows), partial)
    os.replace(partial, path)
    return metrics


def day_headline(metrics: Mapping[str, Any], record: DayRecord) -> str:
    """The day in a line: AUC of the served ranker, of the baselines, drift, and the release.

    Args:
        metrics: The content of its `metrics.json`.
        record: Its record.
    """
    task, of_task = next(iter(metrics["tasks"].items()))
    parts = []
    for name, words in (("all", ""), ("new", " on new items")):
        of_slice = of_task["slices"][name]
        names = [metrics["candidate"], *metrics["baselines"]]
        values = [of_slice["models"][model].get("auc") for model in names]
        if None not in values:
            pairs = zip(names[1:], values[1:], strict=True)
            others = ", ".join(f"{name} {value:.4f}" for name, value in pairs)
            parts.append(f"AUC of {task}{words} {values[0]:.4f} ({others})")
    released = record.ranker_version
    parts.append(f"drift: {record.verdict['verdict']}" if record.verdict else "drift: unknown")
    parts.append(f"released as version {released}" if released else "not released")
    return f"{record.name}: {', '.join(parts)}"
