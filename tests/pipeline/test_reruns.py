"""Second runs of the pipeline into one folder: repeated and cached work."""

import io
import json
import os
import pathlib

import pyarrow.parquet as pq
import pytest
import rich.console

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline import run as run_lib
from semantic_id_ranking.pipeline.config import SLICES
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.run_records import RunRecords
from semantic_id_ranking.serving.store import open_store

RANKER_AND_AFTER = {
    "Trainer.ranker",
    "Trainer.random_hash",
    "RankingEvaluator",
    "Releaser",
}


@pytest.fixture
def printed():
    return rich.console.Console(file=io.StringIO(), width=160)


def rerun(finished_run, *overrides, console=None):
    config = load_config(finished_run.config, overrides)
    run_lib.run(
        finished_run.items,
        finished_run.impressions,
        finished_run.output,
        config,
        console or rich.console.Console(file=io.StringIO(), width=160),
    )
    return set(RunRecords(os.path.join(finished_run.output, "metadata.sqlite")).cached())


def test_a_second_run_reuses_everything(finished_run, printed):
    assert rerun(finished_run, console=printed) == set(finished_run.summary["seconds"])
    assert "blessed and pushed" not in printed.file.getvalue()
    assert "blessed; an earlier run pushed these models" in printed.file.getvalue()


def test_a_store_gets_the_semantic_ids_of_the_release(finished_run, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/s3cret.sqlite"
    monkeypatch.setenv("SIDS", url)
    components = set(finished_run.summary["seconds"])
    assert components - rerun(finished_run, "serving.store=env:SIDS") == {"Releaser"}
    items = pq.read_table(finished_run.items).num_rows
    fingerprint = finished_run.summary["sid"]["fingerprint"]
    with open_store(url) as store:
        assert (list(store.spaces()), store.count(fingerprint)) == ([fingerprint], items)
    output = pathlib.Path(finished_run.output)
    release = json.loads((output / "serving" / "release.json").read_text())
    assert release["config"]["serving"]["store"] == "env:SIDS"
    files = [path for path in output.rglob("*") if path.is_file()]
    assert [path for path in files if b"s3cret" in path.read_bytes()] == []


def test_a_store_that_is_not_there_is_named_before_anything_runs(finished_run, monkeypatch):
    monkeypatch.delenv("SIDS", raising=False)
    with pytest.raises(InputError, match="env:SIDS: there is no environment variable SIDS"):
        rerun(finished_run, "serving.store=env:SIDS")


def test_another_ranker_reruns_the_ranker_and_what_follows_it(finished_run):
    components = set(finished_run.summary["seconds"])
    assert components - rerun(finished_run, "ranker.epochs=1") == RANKER_AND_AFTER


@pytest.mark.slow
def test_one_task_alone_and_no_context(finished_run):
    rerun(finished_run, "tasks=[{name: click}]", "context={}", "ranker.epochs=1")
    with open(os.path.join(finished_run.output, "summary.json"), encoding="utf-8") as file:
        metrics = json.load(file)["models"]["ranker"]["metrics"]
    assert set(metrics) == {"click"}
    assert metrics["click"]["all"]["examples"] == 600
    for name in SLICES:
        entry = metrics["click"][name]
        # The few new items of this world may all have one label: then there is a reason, no number.
        assert (entry["auc"] is None) == ("why_not" in entry)
        assert entry["examples"] > 0
    assert all(0 < metrics["click"][name]["auc"] < 1 for name in ("all", "head", "torso", "tail"))


def test_a_missed_threshold_pushes_nothing_and_what_was_served_stays(finished_run, printed):
    serving = pathlib.Path(finished_run.output, "serving")
    before = sorted(path.relative_to(serving) for path in serving.rglob("*"))
    rerun(finished_run, "thresholds=[{task: click, value: 0.999}]", console=printed)
    last = printed.file.getvalue().splitlines()[-1]
    assert last.startswith("not blessed, so nothing was pushed: task click, slice all: AUC 0.")
    assert last.endswith(" is below the threshold 0.999")
    with open(os.path.join(finished_run.output, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    assert summary["blessed"] is False
    assert len(summary["missed"]) == 1
    assert summary["pushed"] == {"ranker": None, "semantic_id": None}
    assert sorted(path.relative_to(serving) for path in serving.rglob("*")) == before
