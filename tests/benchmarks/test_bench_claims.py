import numpy as np
import pytest

from benchmarks.claims import all_claims
from benchmarks.scores import Scores
from benchmarks.sweep import FailedTrial
from benchmarks.sweep import Plan
from benchmarks.trial import Trial
from benchmarks.trial import TrialResult
from benchmarks.variants import all_variants

MAIN = 40
NOISE = np.linspace(-0.01, 0.01, 101)
VARIANTS = {variant.label: variant for variant in all_variants()}


def result(label, rows, auc, seed=0, world="main", noise=NOISE, lookups=(1.0, 2.0), copies=None):
    """A result with the same AUC on every slice, or by slice; `noise` is that of its own draws."""
    aucs = auc if isinstance(auc, dict) else dict.fromkeys(("all", "new", "unseen"), auc)
    return TrialResult(
        trial=Trial(VARIANTS[label], rows, seed, world),
        table_rows=rows,
        lookups={"all": 1.5, "head": lookups[0], "torso": 1.5, "tail": lookups[1]},
        lookups_samples=lookups[0] - lookups[1] + NOISE,
        metrics=[
            {"task": "click", "slice": name, "auc": value, "examples": 10}
            for name, value in aucs.items()
        ],
        samples={
            name: np.full(101, np.nan) if value is None else value + noise
            for name, value in aucs.items()
        },
        difference=None if copies is None else (copies, copies + 0 * NOISE),
        seconds=1.0,
    )


def claims(*results, failed=()):
    plan = Plan([], [10, MAIN], MAIN, [])
    found = all_claims(Scores(results, "click", failed), plan)
    assert [claim.number for claim in found] == [1, 2, 3, 4, 5, 6, 7]
    return {claim.number: claim for claim in found}


def test_a_difference_is_paired_by_draw():
    # Both are noisy, but noisy alike: the difference is sure.
    claim = claims(result("sid_spm", MAIN, 0.62), result("random_hash", MAIN, 0.61))[1]
    assert claim.holds
    report = claim.as_dict()
    assert report["delta"] == pytest.approx(0.01)
    assert report["ci"] == pytest.approx([0.01, 0.01])
    # With draws that have nothing to do with each other it is not.
    backwards = result("random_hash", MAIN, 0.61, noise=-NOISE)
    assert not claims(result("sid_spm", MAIN, 0.62), backwards)[1].holds


def test_one_slice_is_enough_to_fail_and_is_named():
    spm = result("sid_spm", MAIN, {"all": 0.7, "new": 0.7, "unseen": 0.5})
    claim = claims(spm, result("random_hash", MAIN, 0.6))[1]
    assert not claim.holds
    assert claim.as_dict()["delta"] == pytest.approx(-0.1)
    summary, reason = claim.why()
    assert summary.endswith(" 1 of 3.")
    assert "never seen in training" in reason
    assert "-0.1000 [-0.1000, -0.1000] lies below zero" in reason


def test_what_cannot_be_told_apart_is_said_with_the_size_of_the_slice():
    unsure = result("random_hash", MAIN, 0.6, noise=-NOISE)
    claim = claims(result("sid_spm", MAIN, 0.601), unsure)[1]
    assert not claim.holds
    assert all("cannot be told apart on these 10 impressions" in why for why in claim.why()[1:])
    assert len(claim.why()) == 4


def test_a_slice_without_auc_is_not_tested():
    aucs = {"all": 0.7, "new": None, "unseen": 0.7}
    hashed = {"all": 0.6, "new": None, "unseen": 0.6}
    claim = claims(result("sid_spm", MAIN, aucs), result("random_hash", MAIN, hashed))[1]
    assert claim.holds
    assert [part.holds for part in claim.parts] == [True, False, True]
    (untested,) = claim.untested()
    assert untested.slice == "new"


def test_what_was_not_tried_could_not_be_tested():
    for claim in claims(result("random_hash", MAIN, 0.6)).values():
        assert not claim.holds
        assert claim.verdict == "could not be tested"
        assert claim.as_dict()["delta"] is None
        assert claim.as_dict()["tested"] is False
        assert claim.why()


def test_a_draw_without_both_classes_tells_nothing():
    hashed = result("random_hash", MAIN, 0.6, noise=np.full(101, np.nan))
    claim = claims(result("sid_spm", MAIN, 0.7), hashed)[1]
    assert claim.as_dict()["ci"] is None
    assert not claim.holds


@pytest.fixture
def all_good():
    """Results, by (label, rows, world, seed), under which every claim holds."""
    new = {"all": 0.5, "new": 0.7, "unseen": 0.7}
    cells = [
        ("dense", 10, new, {}),
        ("individual_id", MAIN, 0.6, {}),
        ("random_hash", 10, 0.55, {}),
        ("random_hash", MAIN, 0.6, {}),
        ("sid_ngram(2)", 10, 0.62, {}),
        ("sid_ngram(2)", MAIN, 0.62, {}),
        ("sid_spm", 10, 0.61, {}),
        ("sid_spm", MAIN, 0.63, {}),
        ("sid_hybrid", 10, 0.8, {}),
        ("sid_hybrid", MAIN, 0.8, {}),
        ("sid_spm", MAIN, 0.63, {"world": "v0"}),
        ("random_hash", MAIN, 0.6, {"world": "copies", "copies": 0.5}),
        ("sid_spm", MAIN, 0.6, {"world": "copies", "copies": 0.1}),
        ("sid_hybrid", MAIN, 0.6, {"world": "copies", "copies": 0.1}),
    ]
    return {
        (label, rows, options.get("world", "main"), seed): result(label, rows, auc, seed, **options)
        for label, rows, auc, options in cells
        for seed in (0, 1)
    }


@pytest.mark.parametrize(
    ("cell", "needing"),
    [
        (("random_hash", 10, "main"), {1, 2, 5}),
        (("random_hash", MAIN, "main"), {1, 2, 5}),
        (("dense", 10, "main"), {2, 5}),
        (("individual_id", MAIN, "main"), {2, 5}),
        (("sid_ngram(2)", MAIN, "main"), {3, 5}),
        (("sid_spm", 10, "main"), {1, 3, 5}),
        (("sid_spm", MAIN, "main"), {1, 3, 4, 5, 7}),
        (("sid_hybrid", MAIN, "main"), {5}),
        (("sid_spm", MAIN, "v0"), {7}),
        (("random_hash", MAIN, "copies"), {6}),
        (("sid_hybrid", MAIN, "copies"), {6}),
    ],
)
@pytest.mark.parametrize("seeds", [(1,), (0, 1)])
def test_claims_that_need_a_ranker_that_failed_are_not_tested(all_good, cell, needing, seeds):
    assert all(claim.holds for claim in claims(*all_good.values()).values())
    lost = [all_good.pop((*cell, seed)).trial for seed in seeds]
    failed = [FailedTrial(trial, "MemoryError: none left") for trial in lost]
    found = claims(*all_good.values(), failed=failed)
    assert {number for number, claim in found.items() if not claim.tested} == needing
    for number, claim in found.items():
        assert claim.holds == (number not in needing)
    for number in needing:
        why = " ".join(found[number].why())
        assert all(f"{cell[0]} at {cell[1]} rows, seed {seed}" in why for seed in seeds)


def test_seeds_that_disagree_widen_the_interval():
    hashed = [result("random_hash", MAIN, 0.6, seed) for seed in (0, 1)]
    spm = [result("sid_spm", MAIN, auc, seed) for seed, auc in ((0, 0.59), (1, 0.65))]
    report = claims(*hashed, *spm)[1].as_dict()
    assert report["delta"] == pytest.approx(0.02)
    assert report["ci"] == pytest.approx([-0.01, 0.05])
    assert not report["holds"]


def test_dense_and_ngram():
    found = claims(
        result("dense", 10, {"all": 0.6, "new": 0.7, "unseen": 0.7}),
        result("individual_id", MAIN, 0.65),
        result("random_hash", MAIN, 0.6),
        *(result("sid_ngram(2)", rows, 0.6) for rows in (10, MAIN)),
        result("sid_spm", 10, 0.58),
        result("sid_spm", MAIN, 0.63),
    )
    assert found[2].holds
    assert found[3].holds
    assert [part.rows for part in found[3].parts] == [10, MAIN]


def test_head_items_need_fewer_lookups():
    assert claims(result("sid_spm", MAIN, 0.6, lookups=(1.0, 2.0)))[4].holds
    assert not claims(result("sid_spm", MAIN, 0.6, lookups=(2.0, 1.0)))[4].holds


def test_the_hybrid_has_to_win_a_column_and_lose_none():
    others = [result("random_hash", MAIN, 0.6), result("sid_spm", MAIN, 0.65)]
    equal = claims(*others, result("sid_hybrid", MAIN, 0.65))[5]
    assert all(part.holds for part in equal.parts)
    assert not equal.holds
    assert "no column" in equal.why()[-1]
    better = result("sid_hybrid", MAIN, {"all": 0.65, "new": 0.66, "unseen": 0.65})
    assert claims(*others, better)[5].holds
    worse = result("sid_hybrid", MAIN, {"all": 0.65, "new": 0.7, "unseen": 0.6})
    assert not claims(*others, worse)[5].holds


def test_the_hybrid_is_compared_with_what_fits_into_its_rows():
    claim = claims(
        result("dense", 10, 0.6),
        result("individual_id", 100, 0.9),
        result("sid_hybrid", 10, 0.65),
        result("sid_hybrid", MAIN, 0.65),
    )[5]
    assert {part.text.split(",")[0] for part in claim.parts} == {
        "AUC of sid_hybrid at 10 rows less dense at 10",
        f"AUC of sid_hybrid at {MAIN} rows less dense at 10",
    }
    assert claim.holds


def test_the_hybrid_is_compared_with_a_row_for_each_item_and_one_for_all_others():
    hybrid = result("sid_hybrid", MAIN, 0.65)
    claim = claims(result("individual_id", MAIN + 1, 0.9), hybrid)[5]
    assert not claim.holds
    assert claim.parts
    assert not claims(result("individual_id", MAIN + 2, 0.9), hybrid)[5].parts
    nearer = claims(*(result("random_hash", MAIN + more, 0.6) for more in (0, 1)), hybrid)[5]
    assert {part.rows for part in nearer.parts} == {MAIN}


def test_copies_differ_less():
    hashed = result("random_hash", MAIN, 0.6, world="copies", copies=0.5)
    for share, holds in ((0.29, True), (0.31, False)):
        spm = result("sid_spm", MAIN, 0.6, world="copies", copies=share)
        hybrid = result("sid_hybrid", MAIN, 0.6, world="copies", copies=0.1)
        claim = claims(hashed, spm, hybrid)[6]
        assert claim.holds == holds
        assert claim.as_dict()["delta"] == pytest.approx(1 - share / 0.5)


def test_both_versions_serve_alike():
    for auc, holds in ((0.6, True), (0.63, False)):
        claim = claims(result("sid_spm", MAIN, auc), result("sid_spm", MAIN, 0.6, world="v0"))[7]
        assert claim.holds == holds
