"""`sid simulate`, and `sid compare-truth` on the shared run."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from semantic_id_ranking.cli import main as cli
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.run_records import RunRecords
from semantic_id_ranking.pipeline.run_summary import RunSummary
from tests import synthetic

SIZES = ("--items", "50", "--users", "9", "--impressions", "70", "--new-items", "4")


def sid(*arguments):
    """Runs a command; raises what it refuses."""
    ended = CliRunner().invoke(cli.app, list(map(str, arguments)), catch_exceptions=False)
    assert ended.exit_code == 0
    return ended.stdout


def test_what_it_writes_is_what_it_says(tmp_path):
    found = json.loads(sid("simulate", "--output", tmp_path, *SIZES, "--days", 3, "--json"))
    assert (found["items"], found["impressions"]) == (62, 210)
    assert pq.read_metadata(tmp_path / "items.parquet").num_rows == 62
    for name in ("impressions", "truth"):
        assert pq.read_metadata(tmp_path / f"{name}.parquet").num_rows == 210
    said = sid("simulate", "--output", tmp_path, *SIZES, "--days", 1, "--first-day", 2)
    assert "62 items, and 70 impressions of 2024-01-03 to 2024-01-03" in said


def test_what_it_refuses(tmp_path):
    with pytest.raises(InputError, match="days: 0 is not allowed"):
        sid("simulate", "--output", tmp_path, "--days", 0)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: is not a folder"):
        sid("simulate", "--output", tmp_path / "file")


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """What `synthetic.impressions` draws clicks from; their seconds have the mean 2 x 20."""
    catalogue = synthetic.items()
    log = synthetic.impressions(catalogue)
    taste = np.random.default_rng(1).integers(0, synthetic.TOPICS, 80)
    numbers = {name: log[f"{name}_id"].str[4:].astype(int).to_numpy() for name in ("user", "item")}
    likes = catalogue["topic"].to_numpy()[numbers["item"]] == taste[numbers["user"]]
    log = log.assign(click=np.where(likes, 0.8, 0.05), watch_seconds=np.where(likes, 32.0, 2.0))
    columns = ["user_id", "item_id", "timestamp", "click", "watch_seconds"]
    path = tmp_path_factory.mktemp("truth") / "truth.parquet"
    synthetic.write(log[columns].sample(frac=1, random_state=0), path)
    return path


def test_how_much_of_the_truth_a_run_reaches(finished_run, truth):
    compared = json.loads(sid("compare-truth", finished_run.output, "--truth", truth, "--json"))
    # Of the last run into the folder, which may be another test's.
    summary = RunSummary.read(f"{finished_run.output}/summary.json")
    records = RunRecords(f"{finished_run.output}/metadata.sqlite", summary.run_id)
    predictions = records.output("RankingEvaluator", "predictions").uri
    evaluated, best = (pq.read_table(path).to_pandas() for path in (predictions, truth))
    joined = evaluated.merge(best, on=["user_id", "item_id", "timestamp"], validate="1:1")
    assert len(joined) == len(evaluated)
    for name, rows in (("all", joined), ("head", joined[joined["slice_head"]])):
        of_slice = compared["tasks"]["click"][name]
        assert of_slice["examples"] == len(rows)
        auc = roc_auc_score(rows["label_click"], rows["click"])
        assert of_slice["metrics"]["truth"]["auc"] == pytest.approx(auc)
        for model in ("ranker", "random_hash", "item_rate"):
            own = summary.models[model].metrics["click"][name].auc
            assert of_slice["metrics"][model]["auc"] == own
            share = (own - 0.5) / (auc - 0.5)
            assert of_slice["reached"][model]["auc"] == pytest.approx(share)
    rmse = np.sqrt(np.mean((joined["label_watch"] - joined["watch_seconds"]) ** 2))
    assert compared["tasks"]["watch"]["all"]["metrics"]["truth"]["rmse"] == pytest.approx(rmse)


def test_the_same_as_a_table(finished_run, truth):
    printed = sid("compare-truth", finished_run.output, "--truth", truth)
    (line,) = (line for line in printed.splitlines() if line.split()[:3] == ["click", "all", "AUC"])
    assert line.count("%") == 3
    assert "No claim on click, new" in printed


def test_a_truth_of_other_impressions_is_refused(finished_run, truth, tmp_path):
    with pytest.raises(InputError, match="has no column of a label of the run; expected click, w"):
        sid("compare-truth", finished_run.output, "--truth", finished_run.items)
    sid("simulate", "--output", tmp_path, *SIZES, "--days", 60)
    with pytest.raises(InputError, match="lacks 600 of the 600 evaluated impressions"):
        sid("compare-truth", finished_run.output, "--truth", tmp_path / "truth.parquet")
    with pytest.raises(InputError, match=r"holds no summary\.json"):
        sid("compare-truth", tmp_path, "--truth", truth)
