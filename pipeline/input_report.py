"""Report of the input readers: counts, and rows put aside."""

import json
import os
import shutil
from typing import Any

from semantic_id_ranking.components.example_gen.executor import COUNTS
from semantic_id_ranking.components.example_gen.executor import REJECTS
from semantic_id_ranking.pipeline.run_records import RunRecords

_SENTENCES = {
    ("items", "missing"): "items without a creation time: their first impression stands for it",
    ("items", "future"): "items were created after now",
    ("items", "before_1970"): "items were created before 1970",
    ("impressions", "rejected"): "bad impressions were put aside",
}


def input_report(records: RunRecords, output: str) -> dict[str, dict[str, int]]:
    """Reads the counts, and puts the bad impressions into the run's folder.

    Args:
        records: What ML Metadata recorded of the run.
        output: The run's folder: `impressions.rejects.parquet` is made there, or removed where no
            impression is bad.

    Returns:
        For "items": "missing" creation times, creations in the "future" and "before_1970"; for
        "impressions": "rows" and "rejected".
    """
    items = records.output("ItemGen", "examples").uri
    impressions = records.output("ImpressionGen", "examples").uri
    counts = {"items": _read_json(items), "impressions": _read_json(impressions)}
    counts["items"].pop("rejected")
    rejects = os.path.join(output, "impressions.rejects.parquet")
    if counts["impressions"]["rejected"]:
        shutil.copyfile(os.path.join(impressions, REJECTS), f"{rejects}.tmp")
        os.replace(f"{rejects}.tmp", rejects)
    elif os.path.exists(rejects):
        os.remove(rejects)
    return counts


def sentences(report: dict[str, dict[str, int]]) -> list[str]:
    """The notable lines of a report: the counts that are not 0."""
    return [
        f"{report[name][count]} {words}"
        for (name, count), words in _SENTENCES.items()
        if report[name][count]
    ]


def _read_json(examples: str) -> dict[str, Any]:
    with open(os.path.join(examples, COUNTS), encoding="utf-8") as file:
        return json.load(file)
