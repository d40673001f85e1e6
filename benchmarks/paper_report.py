"""The report of a sweep: what goes into `paper.json`, and the same for people to read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.claim import Claim
from benchmarks.scores import Scores
from benchmarks.sweep import Plan
from benchmarks.trial import TrialResult
from pipeline.config import SLICES


def run_rows(results: Sequence[TrialResult]) -> list[dict[str, Any]]:
    """Every run's metrics, one row a task and slice."""
    return [
        {
            "representation": result.trial.variant.label,
            "rows": result.trial.rows,
            "table_rows": result.table_rows,
            "lookups": result.lookups["all"],
            "lookups_by_popularity": {k: v for k, v in result.lookups.items() if k != "all"},
            "seed": result.trial.seed,
            **row,
            "seconds": result.seconds,
        }
        for result in results
        for row in result.metrics
    ]


def copy_rows(results: Sequence[TrialResult]) -> list[dict[str, Any]]:
    """Every A/A run's mean relative difference of the predictions for an item and its copy."""
    return [
        {
            "representation": result.trial.variant.label,
            "rows": result.trial.rows,
            "seed": result.trial.seed,
            "mean_relative_difference": result.difference[0],
        }
        for result in results
        if result.difference is not None
    ]


def markdown(
    name: str,
    settings: dict[str, Any],
    scores: Scores,
    claims: Sequence[Claim],
    plan: Plan,
    plots: Sequence[str],
) -> str:
    """The report.

    Args:
        name: Of the data set.
        settings: What the sweep was run with.
        scores: Its results.
        claims: The claims.
        plan: What was run.
        plots: Names of the plots' files, beside the report.
    """
    parts = [
        f"# Representations of items on {name}",
        ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in settings.items()) + ".",
        "## Claims",
        "An interval is the 95 % one of a bootstrap over users and seeds, rankers being paired. "
        "The difference shown is that of the comparison which holds least.",
        _claim_table(claims),
        *(f"- Claim {c.number} does not hold here. {c.why()}" for c in claims if not c.holds),
        "## AUC",
        "Means over the seeds, by table rows asked for.",
        _auc_table(scores),
        "## Look-ups",
        "Mean table rows of an item.",
        _lookup_table(scores),
    ]
    if plan.left_out:
        parts.append("## Left out")
        parts += [f"- {label} at {rows} rows: {why}." for label, rows, why in plan.left_out]
    parts += [f"![{plot}]({plot})" for plot in plots]
    return "\n\n".join(parts) + "\n"


def _claim_table(claims: Sequence[Claim]) -> str:
    rows = []
    for claim in claims:
        row = claim.as_dict()
        found = row["ci"] is not None
        rows.append(
            [
                str(claim.number),
                claim.text,
                "holds" if claim.holds else "does not hold",
                f"{row['delta']:+.4f}" if found else "",
                f"{row['ci'][0]:+.4f} to {row['ci'][1]:+.4f}" if found else "",
            ]
        )
    return _table(["", "claim", "", "difference", "interval"], rows)


def _auc_table(scores: Scores) -> str:
    rows = []
    for label, budgets in scores.tried().items():
        for budget in budgets:
            results = scores.of(label, budget)
            aucs = [[scores.auc(result, name) for result in results] for name in SLICES]
            rows.append(
                [
                    label,
                    str(budget),
                    str(results[0].table_rows),
                    *("" if None in values else f"{np.mean(values):.4f}" for values in aucs),
                ]
            )
    return _table(["representation", "rows", "table rows", *SLICES], rows)


def _lookup_table(scores: Scores) -> str:
    rows = []
    for label, budgets in scores.tried().items():
        for budget in budgets:
            means = [result.lookups for result in scores.of(label, budget)]
            groups = [[mean[group] for mean in means] for group in means[0]]
            rows.append(
                [
                    label,
                    str(budget),
                    *("" if None in values else f"{np.mean(values):.2f}" for values in groups),
                ]
            )
    return _table(["representation", "rows", "all", "head", "torso", "tail"], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
