import json

import pytest
import typer

from benchmarks import paper
from benchmarks.sweep import FailedTrial
from benchmarks.sweep import Plan
from benchmarks.trial import Trial
from semantic_id_ranking.pipeline.config import SLICES
from tests import synthetic
from tests.benchmarks.test_bench_claims import MAIN
from tests.benchmarks.test_bench_claims import result
from tests.benchmarks.test_bench_claims import VARIANTS

RUN = {"representation", "rows", "lookups", "seed", "task", "slice", "auc", "normalized_entropy"}


@pytest.fixture
def data(tmp_path):
    catalogue = synthetic.items(60)
    synthetic.write(catalogue, tmp_path / "items.parquet")
    synthetic.write(synthetic.impressions(catalogue, 300, 10), tmp_path / "impressions.parquet")
    return tmp_path


@pytest.fixture
def report(data, monkeypatch):
    """Writes the report of a sweep with these results and failures, and reads its JSON."""

    def write(results, failed):
        def sweep(*arguments):
            return Plan([], [10, MAIN], MAIN, []), results, failed

        monkeypatch.setattr(paper, "_sweep", sweep)
        out = data / "report"
        try:
            paper.main(data=str(data), out=str(out), seeds=1, quick=True)
            status = 0
        except typer.Exit as end:
            status = end.exit_code
        return json.loads((out / "paper.json").read_text()), (out / "paper.md").read_text(), status

    return write


def of(label, auc, **options):
    return result(label, MAIN, dict.fromkeys(SLICES, auc), **options)


def test_the_report_has_its_documented_form(report):
    written, _, status = report(
        [of("random_hash", 0.6), of("sid_spm", 0.7), of("sid_spm", 0.7, world="v0")], []
    )
    assert status == 0
    # The three results, the one of v0 apart.
    assert len(written["runs"]) == 2 * len(SLICES)
    assert {row["representation"] for row in written["v0_runs"]} == {"sid_spm"}
    assert all(set(row) >= RUN | {"user_auc", "examples", "seconds"} for row in written["runs"])
    claims = {claim["claim"]: claim for claim in written["claims"]}
    assert sorted(claims) == [1, 2, 3, 4, 5, 6, 7]
    assert claims[1]["holds"] is True
    assert claims[1]["delta"] == pytest.approx(0.1)
    assert claims[1]["ci"] == pytest.approx([0.1, 0.1])
    assert written["failed"] == []


def test_a_ranker_that_failed_is_in_the_report_and_in_the_exit_status(report, capsys):
    failed = FailedTrial(Trial(VARIANTS["sid_spm"], MAIN, 0), "MemoryError: none left")
    written, text, status = report([of("random_hash", 0.6)], [failed])
    assert status == 1
    assert written["failed"][0]["reason"] == "MemoryError: none left"
    claim = written["claims"][0]
    assert (claim["holds"], claim["tested"], claim["delta"]) == (False, False, None)
    assert f"- sid_spm at {MAIN} rows, seed 0: MemoryError: none left" in text
    assert "claim 1 could not be tested" in capsys.readouterr().out
