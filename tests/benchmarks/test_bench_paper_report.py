import pytest
from test_bench_claims import MAIN
from test_bench_claims import result

from benchmarks.claims import all_claims
from benchmarks.paper_plots import draw_plots
from benchmarks.paper_report import markdown
from benchmarks.scores import Scores
from benchmarks.sweep import Plan

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
    return Scores(results, "click"), Plan([], [10, MAIN], MAIN, [("sid_spm", 10, "too few rows")])


def test_the_report_shows_means_verdicts_and_what_is_missing(sweep):
    scores, plan = sweep
    claims = all_claims(scores, plan)
    text = markdown("world", {"seeds": 2}, scores, claims, plan, ["auc_all.svg"])

    assert "| random_hash | 40 | 40 | 0.6200 |  | 0.6200 |" in text
    assert text.count("does not hold |") == 7
    assert "- sid_spm at 10 rows: too few rows." in text
    assert "![auc_all.svg](auc_all.svg)" in text


def test_plots_are_drawn_of_slices_with_an_auc(sweep, tmp_path):
    names = draw_plots(sweep[0], str(tmp_path))
    assert names == [*(f"auc_{name}.svg" for name in SLICES if name != "new"), "lookups.svg"]
    for name in names:
        assert "</svg>" in (tmp_path / name).read_text()
