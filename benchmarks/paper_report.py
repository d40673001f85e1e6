"""Report of a sweep: the contents of `paper.json`, and the same as Markdown."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.claim import Claim
from benchmarks.scores import Scores
from benchmarks.sweep import FailedTrial
from benchmarks.sweep import Plan
from benchmarks.trial import TrialResult
from semantic_id_ranking.pipeline.config import SLICES

_GROUPS = ("all", "head", "torso", "tail")
_METRICS = ("auc", "normalized_entropy", "user_auc")


def run_rows(results: Sequence[TrialResult]) -> list[dict[str, Any]]:
    """Every run's metrics, one row a task and slice; None for one that a regression has not."""
    return [
        {
            "representation": result.trial.variant.label,
            "rows": result.trial.rows,
            "table_rows": result.table_rows,
            "lookups": result.lookups["all"],
            "lookups_by_popularity": {k: v for k, v in result.lookups.items() if k != "all"},
            "seed": result.trial.seed,
            **dict.fromkeys(_METRICS),
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


def failed_rows(failed: Sequence[FailedTrial]) -> list[dict[str, Any]]:
    """The trials without a result, and why they have none."""
    return [
        {
            "representation": one.trial.variant.label,
            "rows": one.trial.rows,
            "seed": one.trial.seed,
            "world": one.trial.world,
            "reason": one.reason,
        }
        for one in failed
    ]


def markdown(
    name: str,
    settings: dict[str, Any],
    scores: Scores,
    claims: Sequence[Claim],
    plan: Plan,
    plots: Sequence[str],
    failed: Sequence[FailedTrial] = (),
) -> str:
    """The report.

    Args:
        name: Of the data set.
        settings: What the sweep was run with.
        scores: Its results.
        claims: The claims.
        plan: What was run.
        plots: Names of the plots' files, beside the report.
        failed: Trials that have no result.
    """
    parts = [
        f"# Representations of items on {name}",
        ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in settings.items()) + ".",
    ]
    if failed:
        parts.append("## Failed")
        parts.append("They were tried twice and have no result: what needs them is not tested.")
        parts.append("\n".join(f"- {one.name}: {one.reason}" for one in failed))
    parts += [
        "## Claims",
        "An interval is the 95 % one of a bootstrap over users and seeds, rankers being paired. "
        "The difference in the table is that of the comparison which holds least.",
        _claim_table(claims),
        *(_reasons(claim) for claim in claims if not claim.holds),
        *_untested(claims),
        "## AUC",
        "Means over the seeds, by table rows asked for.",
        _auc_table(scores),
        "## Look-ups",
        "Mean table rows of an item.",
        _lookup_table(scores),
    ]
    if plan.left_out:
        parts.append("## Left out")
        parts.append(
            "\n".join(f"- {label} at {rows} rows: {why}." for label, rows, why in plan.left_out)
        )
    parts += [f"![{plot}]({plot})" for plot in plots]
    return "\n\n".join(parts) + "\n"


def _reasons(claim: Claim) -> str:
    """Why a claim does not hold: in one sentence, and comparison by comparison."""
    summary, *reasons = claim.why()
    lines = [f"- {reason}." for reason in reasons]
    heading = f"Claim {claim.number} {claim.verdict} here. {summary}"
    return "\n\n".join(filter(None, [heading, "\n".join(lines)]))


def _untested(claims: Sequence[Claim]) -> list[str]:
    """A sentence for each slice that claims could not be tested on."""
    by_slice: dict[str, list[str]] = {}
    for claim in claims:
        for name in dict.fromkeys(part.slice for part in claim.untested()):
            by_slice.setdefault(name, []).append(str(claim.number))
    return [
        f"Not tested on the slice {name}, which has no positives or no negatives and so no AUC: "
        f"claims {', '.join(numbers)}."
        for name, numbers in by_slice.items()
    ]


def _claim_table(claims: Sequence[Claim]) -> str:
    rows = []
    for claim in claims:
        row = claim.as_dict()
        found = row["ci"] is not None
        rows.append(
            [
                str(claim.number),
                claim.text,
                claim.verdict,
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
            table_rows = str(results[0].table_rows) if results else "failed"
            rows.append([label, str(budget), table_rows, *(_mean(auc, 4) for auc in aucs)])
    return _table(["representation", "rows", "table rows", *SLICES], rows)


def _lookup_table(scores: Scores) -> str:
    rows = []
    for label, budgets in scores.tried().items():
        for budget in budgets:
            results = scores.of(label, budget)
            groups = [[result.lookups[group] for result in results] for group in _GROUPS]
            rows.append([label, str(budget), *(_mean(group, 2) for group in groups)])
    return _table(["representation", "rows", *_GROUPS], rows)


def _mean(values: Sequence[float | None], digits: int) -> str:
    """The mean over the seeds; empty where a seed has no value, or none has."""
    return "" if not values or None in values else f"{np.mean(values):.{digits}f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
