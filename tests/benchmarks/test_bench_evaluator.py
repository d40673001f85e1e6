import json

import pytest

from benchmarks import evaluator
from benchmarks.coverage import coverage


def test_the_report_has_its_documented_form(tmp_path):
    evaluator.main(3000, 50, 2, 500, str(tmp_path / "evaluation.json"))
    report = json.loads((tmp_path / "evaluation.json").read_text())
    assert report["auc_error"] < 2e-6
    assert set(report["cpu_us"]) == {"evaluation", "sklearn_auc_and_log_loss", "tfma_auc"}
    assert min(report["cpu_us"].values()) > 0


@pytest.mark.parametrize(("name", "least"), [("all", 0.9), ("new", 0.93)])
def test_intervals_hold_the_true_difference_about_as_often_as_they_say(name, least):
    # Of 100 samples that are each right with probability 0.95, fewer than 89 are in 1 of 250 cases.
    for share in coverage(name, 100, users=120, items=80).values():
        assert least - 0.02 <= share
