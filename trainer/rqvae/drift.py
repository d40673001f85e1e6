"""Drift verdict on the items of a day: pure functions over arrays.

Limits come from two sources. *How many of how many* comes from sampling theory: the number of new
items beyond a quantile of the held-out items is beta-binomial, whatever the distribution of either
(a precedence test), so that chance alone crosses a limit once in 100,000 days. *From which share
on* is what the verdict means: half of the new items described worse than nine tenths of the
training period's is a reason to act, a significant but small difference is not.
"""

import math
from typing import Any
from typing import NamedTuple

import numpy as np
from scipy.stats import betabinom

from semantic_id_ranking.trainer.rqvae import analysis
from semantic_id_ranking.trainer.rqvae.semantic_id_report import Sample
from semantic_id_ranking.trainer.rqvae.training_profile import first_pairs
from semantic_id_ranking.trainer.rqvae.training_profile import QUANTILES
from semantic_id_ranking.trainer.rqvae.training_profile import relative_errors
from semantic_id_ranking.trainer.rqvae.training_profile import TrainingProfile

KEEP, REFRESH, STOP = "keep", "refresh", "stop"

# How often chance alone may cross a limit, a check and day.
_CHANCE = 1e-5
# Items, at least, that cross a limit: fewer may be copies or a series.
_FEWEST = 10
# Below this share of the squared norm an error changes nothing.
_NEGLIGIBLE = 0.01
# Norms may be so many times beyond those of training; quantisation does not mind less.
_NORM_TIMES = 2.0
# Share of the known items whose Semantic ID changes at once: no day's edits do.
_CHANGED = 0.1
# Share of the codes that may come out otherwise on another processor, by rounding.
_ROUNDING = 1e-3


class KnownItems(NamedTuple):
    """Today's items that have a Semantic ID already.

    Attributes:
        known: Number of them.
        changed: Number of those whose content embedding changed.
        same: int32 [n, L], Semantic IDs of a sample of the unchanged ones, and
        same_again: int32 [n, L], what the model gives these today.
        before: int32 [m, L], Semantic IDs of a sample of the changed ones, and
        after: int32 [m, L], what the model gives these today.
    """

    known: int
    changed: int
    same: np.ndarray
    same_again: np.ndarray
    before: np.ndarray
    after: np.ndarray


class UntrainedPieces(NamedTuple):
    """Items with a piece that no training impression had.

    Attributes:
        new: How many of the sampled new items have one.
        items: Number of training items, and
        alone: how many of these have a piece that no other of them has: of as many later ones it
            would be new, by Good and Turing's estimate.
    """

    new: int
    items: int
    alone: int


def drift_report(
    profile: TrainingProfile,
    new: Sample,
    known: KnownItems,
    pieces: UntrainedPieces | None = None,
) -> dict[str, Any]:
    """Judges a day's items.

    Args:
        profile: Of the training period.
        new: Items without a Semantic ID so far, or a sample of these; there may be none.
        known: The others.
        pieces: What the SID tokenizer makes of the new ones.

    Returns:
        `verdict`: "keep"; "refresh", the space no longer suits the items; or "stop", the embeddings
        or the model are not what they were. `reason`, a line. `findings`, all reasons. Numbers:
        `new`, `known` and, if a tokenizer was given, `pieces`.
    """
    findings = [*_of_known(known), *_of_new(profile, new), *_of_pieces(pieces, len(new.sids))]
    # The gravest first, and of these the order of the checks.
    findings.sort(key=lambda finding: finding[0] != STOP)
    count = len(new.sids)
    reason = f"nothing unusual among {count} new and {known.known} known items"
    report: dict[str, Any] = {
        "verdict": findings[0][0] if findings else KEEP,
        "reason": findings[0][1] if findings else reason,
        "findings": [{"verdict": verdict, "reason": text} for verdict, text in findings],
        "new": _numbers_of_new(profile, new),
        "known": _numbers_of_known(known),
    }
    if pieces is not None:
        report["pieces"] = {
            "new": pieces.new,
            "items": pieces.items,
            "alone": pieces.alone,
            "share": pieces.new / count if count else None,
        }
    return report


def stop_report(reason: str) -> dict[str, Any]:
    """The report where nothing can be measured, as of embeddings of another length."""
    return {"verdict": STOP, "reason": reason, "findings": [{"verdict": STOP, "reason": reason}]}


def limit(items: int, beyond: float, within: float, share: float) -> int:
    """How many of some items have to cross a bound to be a finding.

    Args:
        items: n.
        beyond: How many of the reference items are beyond the bound, and
        within: how many are not. For the k-th smallest of m as the bound m - k + 1 and k are exact;
            for a count of some items, each half an item more (Jeffreys).
        share: Of the items, at least.

    Returns:
        More than n where so few items tell nothing.

    Reference:
        Nelson, "Tests on early failures: the precedence life test", Technometrics 5 (1963).
    """
    counts = np.arange(items + 1)
    # sf(c - 1) is the probability of c or more.
    unlikely = counts[betabinom.sf(counts - 1, items, beyond, within) <= _CHANCE]
    by_chance = int(unlikely[0]) if len(unlikely) else items + 1
    return max(by_chance, math.ceil(share * items), _FEWEST)


def _of_known(known: KnownItems) -> list[tuple[str, str]]:
    findings = []
    wrong = int((known.same != known.same_again).sum())
    if wrong > _ROUNDING * known.same.size:
        items = int((known.same != known.same_again).any(axis=1).sum())
        findings.append(
            (
                STOP,
                f"{items} of {len(known.same)} items whose embedding is unchanged are encoded to "
                "another Semantic ID than they have; the model is not the one that made them",
            )
        )
    share = _changed_ids(known)
    if share >= _CHANGED and share * known.known >= _FEWEST:
        findings.append(
            (
                STOP,
                f"the embeddings of {known.changed} of {known.known} known items changed, which "
                f"gives {share:.0%} of them another Semantic ID; the encoder that makes the "
                "embeddings is not the one of the SID space",
            )
        )
    return findings


def _of_new(profile: TrainingProfile, new: Sample) -> list[tuple[str, str]]:
    """Findings among the new items, those that say most first."""
    count = len(new.sids)
    if not count:
        return []
    findings = []

    def check(
        verdict: str, crossing: int, reference: tuple[float, float], share: float, text: str
    ) -> None:
        if crossing >= limit(count, *reference, share):
            findings.append((verdict, f"{crossing} of {count} new items {text}"))

    m = profile.held_out
    most = int(np.unique(new.sids, axis=0, return_counts=True)[1].max())
    alike = (profile.largest_id + 0.5, profile.items - profile.largest_id + 0.5)
    check(STOP, most, alike, 0.5, "have one Semantic ID; their embeddings may be constant")
    norms = np.linalg.norm(new.embeddings.astype(np.float64), axis=1)
    low, high = _at(profile.norms, 0.005) / _NORM_TIMES, _at(profile.norms, 0.995) * _NORM_TIMES
    outside = int(((norms < low) | (norms > high)).sum())
    text = f"have a norm outside {low:.3g} .. {high:.3g}, twice what training items have"
    check(STOP, outside, (2 * _rank(m, 0.005), m + 1 - 2 * _rank(m, 0.005)), 0.5, text)
    errors = relative_errors(new.embeddings, new.reconstructed)
    for quantile, share in ((0.9, 0.5), (0.99, 0.1)):
        bound = max(_at(profile.errors, quantile), _NEGLIGIBLE)
        rank = m + 1 - _rank(m, 1 - quantile)
        text = (
            f"are described worse (error above {bound:.3g} of the squared norm) than "
            f"{quantile:.0%} of the training period's held-out items"
        )
        check(REFRESH, int((errors > bound).sum()), (m + 1 - rank, rank), share, text)
    size = profile.code_counts.shape[1]
    unfilled = _unfilled(profile, new.sids, size)
    for crossing, before, name in zip(
        unfilled, profile.unfilled, ("a first code", "first two codes"), strict=True
    ):
        share = (1 + before / m) / 2
        text = f"have {name} that no training item has, against {before} of {m} held-out ones"
        check(REFRESH, int(crossing), (before + 0.5, m - before + 0.5), share, text)
    return findings


def _of_pieces(pieces: UntrainedPieces | None, count: int) -> list[tuple[str, str]]:
    if pieces is None or not count:
        return []
    reference = (pieces.alone + 0.5, pieces.items - pieces.alone + 0.5)
    share = (1 + pieces.alone / pieces.items) / 2
    if pieces.new < limit(count, *reference, share):
        return []
    return [
        (
            REFRESH,
            f"{pieces.new} of {count} new items have a piece that no training impression had",
        )
    ]


def _numbers_of_new(profile: TrainingProfile, new: Sample) -> dict[str, Any]:
    count = len(new.sids)
    numbers: dict[str, Any] = {"items": count}
    if not count:
        return numbers
    errors = relative_errors(new.embeddings, new.reconstructed)
    norms = np.linalg.norm(new.embeddings.astype(np.float64), axis=1)
    size = profile.code_counts.shape[1]
    unfilled = _unfilled(profile, new.sids, size)
    for name, values, before in (
        ("error", errors, profile.errors),
        ("norm", norms, profile.norms),
    ):
        for quantile in (0.5, 0.9):
            # JSON has no infinity.
            value = float(np.quantile(values, quantile, method="higher"))
            numbers[f"{name}_{quantile:g}"] = value if math.isfinite(value) else None
            numbers[f"{name}_{quantile:g}_training"] = float(_at(before, quantile))
    numbers["unfilled_first_code"], numbers["unfilled_pair"] = (unfilled / count).tolist()
    numbers["unfilled_first_code_training"], numbers["unfilled_pair_training"] = (
        profile.unfilled / profile.held_out
    ).tolist()
    numbers["codebook_use"] = analysis.codebook_use(new.sids, size)
    numbers["perplexity"] = analysis.perplexity(new.sids)
    return numbers


def _numbers_of_known(known: KnownItems) -> dict[str, Any]:
    changed = None
    if len(known.before):
        changed = (known.before != known.after).mean(axis=0).tolist()
    return {
        "items": known.known,
        "changed": known.changed,
        "changed_codes": changed,
        "changed_ids": _changed_ids(known),
        "encoded_again": len(known.same),
        "not_as_before": int((known.same != known.same_again).any(axis=1).sum()),
    }


def _changed_ids(known: KnownItems) -> float:
    """Share of the known items whose Semantic ID changes, as the sample of the changed has it."""
    if not len(known.before):
        return 0.0
    changed = (known.before != known.after).any(axis=1).mean()
    return float(changed * known.changed / known.known)


def _unfilled(profile: TrainingProfile, sids: np.ndarray, size: int) -> np.ndarray:
    """How many have a first code, and a pair of first codes, that no training item has."""
    pairs = ~np.isin(first_pairs(sids, size), profile.pairs)
    return np.array([(profile.code_counts[0][sids[:, 0]] == 0).sum(), pairs.sum()])


def _at(quantiles: np.ndarray, quantile: float) -> float:
    return float(quantiles[QUANTILES.index(quantile)])


def _rank(items: int, share: float) -> int:
    """Which of sorted items a quantile "higher" is, from the nearer end, counted from 1."""
    return math.floor((items - 1) * share) + 1
