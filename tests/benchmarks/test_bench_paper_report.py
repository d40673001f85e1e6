import pytest

from benchmarks.claims import all_claims
from benchmarks.paper_plots import draw_plots
from benchmarks.paper_report import failed_rows
from benchmarks.paper_report import markdown
from benchmarks.paper_report import run_rows
from benchmarks.scores import Scores
from benchmarks.sweep import FailedTrial
from benchmarks.sweep import Plan
from benchmarks.trial import Trial
from tests.benchmarks.test_bench_claims import MAIN
from tests.benchmarks.test_bench_claims import result
from tests.benchmarks.test_bench_claims import VARIANTS

SLICES = ("all", "new", "unseen", "head", "torso", "tail")


@pytest.fixture
def sweep():
    def aucs(value, new):
        return dict.fromkeys(SLICES, value) | {"new": new}

    results = [
        result(label, rows, aucs(auc + seed / 50, None), seed)
        for label, rows, auc in (
            ("random_hash", 10, 0.6),
            ("random_hash", MAIN, 0.61),
            ("dense", 10, 0.55),
        )
        for seed in (0, 1)
    ]
    for one in results:  # Dense has no table.
        if one.trial.variant.label == "dense":
            object.__setattr__(one, "table_rows", 0)
    failed = [
        FailedTrial(Trial(VARIANTS["sid_spm"], MAIN, seed), "MemoryError: none") for seed in (0, 1)
    ]
    plan = Plan([], [10, MAIN], MAIN, [("sid_spm", 10, "too few rows")])
    return Scores(results, "click", failed), plan, failed


def test_the_report_shows_means_verdicts_and_what_is_missing(sweep):
    scores, plan, failed = sweep
    claims = all_claims(scores, plan)
    text = markdown("world", {"seeds": 2}, scores, claims, plan, ["auc_all.svg"], failed)

    assert "| random_hash | 40 | 40 | 0.6200 |  | 0.6200 |" in text
    assert "| sid_spm | 40 | failed |  |" in text
    assert text.count("| could not be tested |") == 7
    assert "Claim 4 could not be tested here. Rankers that it needs are missing." in text
    assert "- sid_spm at 40 rows, seed 0: MemoryError: none\n- sid_spm at 40 rows, seed 1:" in text
    assert "- sid_spm at 10 rows: too few rows." in text
    assert "![auc_all.svg](auc_all.svg)" in text
    assert failed_rows(failed)[1] == {
        "representation": "sid_spm",
        "rows": 40,
        "seed": 1,
        "world": "main",
        "reason": "MemoryError: none",
    }


def test_a_claim_that_does_not_hold_is_explained_comparison_by_comparison():
    aucs = {"all": 0.7, "new": None, "unseen": 0.5}
    hashed = {"all": 0.6, "new": None, "unseen": 0.6}
    results = [result("sid_spm", MAIN, aucs), result("random_hash", MAIN, hashed)]
    for one in results:
        one.metrics.extend(
            {"task": "click", "slice": name, "auc": 0.6, "examples": 3}
            for name in ("head", "torso", "tail")
        )
    scores, plan = Scores(results, "click"), Plan([], [MAIN], MAIN, [])
    text = markdown("world", {}, scores, all_claims(scores, plan), plan, [])

    summary = "Claim 1 does not hold here. Comparisons that are not as claimed: 1 of 2."
    assert f"{summary}\n\n- AUC of " in text
    assert "lies below zero; claimed is above zero.\n" in text
    assert "Not tested on the slice new," in text
    assert "no AUC: claims 1." in text
    assert "## Failed" not in text


def test_runs_of_a_regression_have_no_auc():
    run = result("dense", 10, 0.6)
    run.metrics.append({"task": "watch", "slice": "all", "rmse": 2.0, "examples": 10})
    *_, row = run_rows([run])
    assert (row["auc"], row["normalized_entropy"], row["user_auc"]) == (None, None, None)
    assert (row["rmse"], row["seconds"]) == (2.0, 1.0)


def test_plots_are_drawn_of_slices_with_an_auc(sweep, tmp_path):
    names = draw_plots(sweep[0], str(tmp_path))
    assert names == [*(f"auc_{name}.svg" for name in SLICES if name != "new"), "lookups.svg"]
    for name in names:
        assert "</svg>" in (tmp_path / name).read_text()
