"""The claims that the sweep tests.

Reference: Singh et al., "Better Generalization with Semantic IDs" (arXiv 2306.08121); the A/A
comparison is that of arXiv 2504.02137.
"""

import numpy as np

from benchmarks.claim import Claim
from benchmarks.claim import Expected
from benchmarks.claim import Part
from benchmarks.scores import Difference
from benchmarks.scores import Scores
from benchmarks.sweep import COPIED
from benchmarks.sweep import Plan
from benchmarks.trial import CLAIM_SLICES
from semantic_id_ranking.evaluation.bootstrap import interval
from semantic_id_ranking.evaluation.bootstrap import seed_mean

HYBRID = "sid_hybrid"
_NEW = ("new", "unseen")
# Beside a row for each item, individual_id has one: with as many rows as items it still compares.
_OF_ALL_OTHERS = 1
_SLICE_TEXT = {
    "all": "overall",
    "new": "on items no older than a day",
    "unseen": "on items never seen in training",
}


def all_claims(scores: Scores, plan: Plan) -> list[Claim]:
    """Tests the seven claims.

    Args:
        scores: Results of the sweep.
        plan: Its table budgets.
    """
    return [
        _spm_beats_hashing(scores),
        _dense(scores, plan.main_budget),
        _spm_against_ngram(scores),
        _head_needs_fewer(scores, plan.main_budget),
        _hybrid_wins(scores, plan.main_budget),
        _copies(scores, plan.main_budget),
        _stable(scores, plan.main_budget),
    ]


def _auc_part(
    scores: Scores,
    first: tuple[str, int],
    second: tuple[str, int],
    name: str,
    expected: Expected,
    second_world: str = "main",
) -> Part:
    """AUC of the first less that of the second; its rows are the larger of the two budgets."""
    (label, rows), (other, other_rows) = first, second
    against = f"{other} with the Semantic IDs of v0" if second_world == "v0" else other
    text = f"AUC of {label} at {rows} rows less {against} at {other_rows}, {_SLICE_TEXT[name]}"
    missing = _missing(scores, (*first, "main"), (*second, second_world))
    if missing:
        return Part(text, expected, name, max(rows, other_rows), None, missing)
    results, others = scores.of(label, rows), scores.of(other, other_rows, second_world)
    return Part(
        text,
        expected,
        name,
        max(rows, other_rows),
        scores.auc_difference(results, others, name),
        examples=scores.row(results[0], name)["examples"],
    )


def _missing(scores: Scores, *cells: tuple[str, int, str]) -> str:
    """The missing results of cells (label, rows, world), as a sentence."""
    return "; ".join(filter(None, (scores.missing(*cell) for cell in cells)))


def _common_rows(scores: Scores, *labels: str) -> list[int]:
    tried = scores.tried()
    return sorted(set.intersection(*(set(tried.get(label, ())) for label in labels)))


def _spm_beats_hashing(scores: Scores) -> Claim:
    parts = [
        _auc_part(scores, ("sid_spm", rows), ("random_hash", rows), name, "above")
        for rows in _common_rows(scores, "sid_spm", "random_hash")
        for name in CLAIM_SLICES
    ]
    text = "sid_spm above random_hash at equal rows, overall and on new items"
    return Claim(1, text, parts)


def _dense(scores: Scores, main: int) -> Claim:
    tried = scores.tried()
    individual = tried.get("individual_id", [main])[0]
    dense = tried.get("dense", [main])[0]
    parts = [
        _auc_part(scores, ("dense", dense), ("individual_id", individual), "all", "below"),
        *(
            _auc_part(scores, ("dense", dense), ("random_hash", rows), name, "above")
            for rows in tried.get("random_hash", [main])
            for name in _NEW
        ),
    ]
    text = (
        "dense below individual_id overall where tables are large; above random_hash on new items"
    )
    return Claim(2, text, parts)


def _spm_against_ngram(scores: Scores) -> Claim:
    rows = _common_rows(scores, "sid_spm", "sid_ngram(2)")
    parts = []
    if len(rows) > 1:
        for budget, expected in ((rows[0], "not above"), (rows[-1], "above")):
            first, second = ("sid_spm", budget), ("sid_ngram(2)", budget)
            parts.append(_auc_part(scores, first, second, "all", expected))
    text = (
        "sid_spm against sid_ngram(2) at equal rows: at or below at the smallest budget, above at "
        "the largest"
    )
    return Claim(3, text, parts)


def _head_needs_fewer(scores: Scores, main: int) -> Claim:
    missing = scores.missing("sid_spm", main)
    results = scores.of("sid_spm", main)
    found = None
    if not missing and None not in (results[0].lookups["head"], results[0].lookups["tail"]):
        deltas = [result.lookups["head"] - result.lookups["tail"] for result in results]
        drawn = np.array([result.lookups_samples for result in results])
        found = Difference(float(np.mean(deltas)), *interval(seed_mean(drawn)))
    text = f"look-ups of head items less those of tail items, {main} rows"
    part = Part(text, "below", "all", main, found, missing)
    return Claim(4, "mean look-ups of head items fewer than of tail items under sid_spm", [part])


def _hybrid_wins(scores: Scores, main: int) -> Claim:
    tried = scores.tried()
    parts = []
    for rows in tried.get(HYBRID, ()):
        for label, budgets in tried.items():
            # One whose table does not grow with the budget compares wherever its table fits.
            other = max((budget for budget in budgets if budget <= rows), default=None)
            if other is None and rows + _OF_ALL_OTHERS in budgets:
                other = rows + _OF_ALL_OTHERS
            if label != HYBRID and other is not None:
                parts += [
                    _auc_part(scores, (HYBRID, rows), (label, other), name, "not below")
                    for name in CLAIM_SLICES
                ]
    at_main = [part for part in parts if part.rows == main and part.difference is not None]
    wins = any(
        all(part.difference.low > 0 for part in at_main if part.slice == name)
        for name in {part.slice for part in at_main}
    )
    return Claim(
        5,
        "sid_hybrid at or above every other representation at equal rows, overall and on new "
        "items, and outside the interval above all of them in at least one of these columns",
        parts,
        wins,
        f"With {main} rows there is no column in which the interval lies above zero against every "
        "other representation",
    )


def _copies(scores: Scores, main: int) -> Claim:
    baseline, *others = COPIED
    parts = [_reduction(scores, label, baseline, main) for label in others]
    text = (
        "two copies of the same items under different raw IDs: the mean relative difference of "
        "their predictions under Semantic IDs at least 40 % below random_hash's"
    )
    return Claim(6, text, parts)


def _reduction(scores: Scores, label: str, baseline: str, rows: int) -> Part:
    text = f"reduction of the difference by {label} against {baseline}, {rows} rows"
    missing = _missing(scores, (label, rows, "copies"), (baseline, rows, "copies"))
    if missing:
        return Part(text, "reduced", "all", rows, None, missing)
    results, hashed = scores.of(label, rows, "copies"), scores.of(baseline, rows, "copies")
    pairs = [(one.difference, other.difference) for one, other in zip(results, hashed, strict=True)]
    deltas = [1 - one[0] / other[0] for one, other in pairs]
    drawn = np.array([1 - one[1] / other[1] for one, other in pairs])
    found = Difference(float(np.mean(deltas)), *interval(seed_mean(drawn)))
    return Part(text, "reduced", "all", rows, found)


def _stable(scores: Scores, main: int) -> Claim:
    parts = [
        _auc_part(scores, ("sid_spm", main), ("sid_spm", main), name, "same", "v0")
        for name in CLAIM_SLICES
    ]
    text = "Semantic IDs of v0 and of v1 give the ranker the same AUC within the interval"
    return Claim(7, text, parts)
