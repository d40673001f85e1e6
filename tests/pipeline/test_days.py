"""Days after a run: what stays, what moves on, what is refused, what is repeated."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.cli.push import rollback
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline import run as run_lib
from semantic_id_ranking.pipeline.days.backfill import backfill
from semantic_id_ranking.pipeline.days.day_config import day_config
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.status import status
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.run_records import open_metadata
from semantic_id_ranking.pipeline.run_records import RunRecords
from tests import synthetic
from tests.days_world import CONSOLE
from tests.days_world import FIRST
from tests.days_world import impressions_counted
from tests.days_world import name_of
from tests.days_world import sids
from tests.days_world import start_of

pytestmark = pytest.mark.slow


@pytest.fixture
def output(world, tmp_path) -> str:
    """A copy of the output after the first day."""
    shutil.copytree(world.output, tmp_path / "output")
    return str(tmp_path / "output")


def input_uris(output: str, node: str, key: str) -> list[str]:
    """The artifacts that the newest execution of a node took."""
    store = open_metadata(os.path.join(output, "metadata.sqlite"))
    (context,) = (c for c in store.get_contexts_by_type("node") if c.name.endswith(f".{node}"))
    newest = max(store.get_executions_by_context(context.id), key=lambda one: one.id)
    events = store.get_events_by_execution_ids([newest.id])
    ids = [event.artifact_id for event in events if event.path.steps[0].key == key]
    return [artifact.uri for artifact in store.get_artifacts_by_id(ids)]


def test_known_items_keep_their_ids_and_new_ones_get_theirs(world):
    log, first = Ledger.open(world.output).days
    before, after = sids(world.output, log), sids(world.output, first)
    assert {item: after[item] for item in before} == before
    new = world.catalogue["created_at"].between(start_of(FIRST), start_of(FIRST + 1))
    assert set(after) - set(before) == set(world.catalogue["item_id"][new]) != set()


def test_a_day_is_scored_by_what_was_served_before_it(world):
    records = RunRecords(os.path.join(world.output, "metadata.sqlite"))
    folder = pathlib.Path(records.output("DayEvaluator", "predictions").uri)
    parts = [pq.read_table(path) for path in sorted(folder.rglob("*.parquet"))]
    scores = pd.concat([part.to_pandas() for part in parts])
    assert len(scores) == len(world.of(FIRST))
    rows = pq.read_table(os.path.join(world.output, "days.parquet")).to_pandas()
    row = rows[(rows.task == "click") & (rows.slice == "all") & (rows.model == "served")]
    assert len(row) == 1
    assert row["examples"].item() == len(scores)
    auc = roc_auc_score(scores["label_click"], scores["score_candidate_click"])
    assert row["auc"].item() == pytest.approx(auc, abs=1e-5)


def test_the_ranker_of_an_accepted_day_is_served(world):
    record = world.first.record
    assert not world.first.repeated
    served = read_releases(os.path.join(world.output, "serving"))[0]
    assert served.versions["ranker"] == record.ranker_version
    assert served.models["ranker"].startswith(record.artifacts["ranker"])
    assert record.verdict["verdict"] == "keep"
    said = status(world.output)
    assert said["served"]["day"] == name_of(FIRST)
    before = world.log[world.log["timestamp"] < start_of(FIRST + 1)]
    assert said["state"]["users"] == before["user_id"].nunique()
    assert [day["day"] for day in said["days"]] == [name_of(FIRST)]
    for auc in (said["days"][0]["auc"], said["days"][0]["new_auc"]):
        assert set(auc) == {"served", "item_rate", "random_hash"}
    assert said["next"] == {
        "day": name_of(FIRST + 1),
        "begins_with": name_of(FIRST),
        "trains_on": [],
    }
    assert (
        impressions_counted(world.output, record)
        == (world.log["timestamp"] < start_of(FIRST + 1)).sum()
    )


def test_the_same_files_change_nothing(world, output):
    def files() -> dict[str, tuple[int, int]]:
        kept = [pathlib.Path(output, name) for name in ("serving", "artifacts")]
        found = [path for folder in kept for path in folder.rglob("*")]
        return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in found}

    ledger, before = pathlib.Path(output, "days.json").read_bytes(), files()
    result = world.day(FIRST, output)
    assert result.repeated
    assert result.record == world.first.record
    assert pathlib.Path(output, "days.json").read_bytes() == ledger
    assert files() == before


def test_the_commands_say_in_json_what_was_done(world, output):
    def sid(*arguments: str) -> dict:
        command = os.path.join(os.path.dirname(sys.executable), "sid")
        done = subprocess.run([command, *arguments, "--json"], capture_output=True, check=True)
        return json.loads(done.stdout)

    record = world.first.record.to_json()
    files = ["--items", world.items(FIRST), "--impressions", world.impressions(FIRST)]
    assert sid("day", *files, "--output", output) == record
    days = [text.replace(name_of(FIRST), "{day}") for text in files]
    interval = ["--from", name_of(FIRST), "--to", name_of(FIRST)]
    assert sid("backfill", *days, "--output", output, *interval) == {"days": [record]}
    assert sid("status", output) == status(output)


def test_a_run_with_more_items_keeps_the_space(world, output):
    last = Ledger.open(output).last
    before = sids(output, last)
    config = load_config(default=read_releases(os.path.join(output, "serving"))[0].config)

    def run():
        return run_lib.run(
            world.items(FIRST + 2), world.log_before(FIRST + 1), output, config, CONSOLE
        )

    summary = run()
    assert "Trainer.rqvae" not in summary.seconds
    (log,) = Ledger.open(output).days
    assert log.artifacts["rqvae"] == last.artifacts["rqvae"]
    after = sids(output, log)
    assert {item: after[item] for item in before} == before
    assert len(after) > len(before)
    run()
    records = RunRecords(os.path.join(output, "metadata.sqlite"))
    assert set(records.cached()) >= set(summary.seconds) - {"Kept.rqvae", "Kept.semantic_ids"}


def test_days_out_of_their_order_are_refused(world, output):
    with pytest.raises(InputError, match=f"day {name_of(FIRST + 1)} is missing; give its"):
        world.day(FIRST + 2, output)
    with pytest.raises(InputError, match=r"was done with other impressions; .*--redo"):
        world.day(FIRST, output, world.changed(FIRST))
    patterns = [world.items(FIRST).replace(name_of(FIRST), "{day}")]
    config = day_config(output, None, ())
    logs = [world.impressions(FIRST).replace(name_of(FIRST), "{day}")]
    late = name_of(FIRST + 3)
    with pytest.raises(InputError, match=f"day {late} is missing: .*no such file"):
        backfill(patterns, logs, output, config, CONSOLE, name_of(FIRST), late)
    assert len(Ledger.open(output).days) == 2


def test_a_day_with_inverted_labels_stops_and_what_was_served_stays(world, output, tmp_path):
    day = FIRST + 1
    frame = world.of(day)
    frame = frame.assign(click=1 - frame["click"])
    inverted = synthetic.write(frame, tmp_path / "inverted.parquet")
    serving = pathlib.Path(output, "serving")
    before = {p: p.stat().st_mtime_ns for p in serving.rglob("*")}
    ledger = Ledger.open(output)
    with pytest.raises(InputError, match=r"inverted\.parquet: .*click") as caught:
        world.day(day, output, inverted)
    assert "\n" not in str(caught.value)
    assert {p: p.stat().st_mtime_ns for p in serving.rglob("*")} == before
    assert Ledger.open(output) == ledger


def test_after_a_rollback_training_goes_on_from_what_is_served(world, output):
    rollback(os.path.join(output, "serving"), None, CONSOLE)
    log, first = Ledger.open(output).days
    assert status(output)["next"] == {
        "day": name_of(FIRST + 1),
        "begins_with": log.name,
        "trains_on": [log.name, first.name],
    }
    result = world.day(FIRST + 1, output)
    (previous,) = input_uris(output, "Trainer.candidate", "previous")
    assert previous.endswith(log.artifacts["ranker_state"])
    examples = input_uris(output, "Trainer.candidate", "examples")
    assert sorted(pathlib.Path(uri).name for uri in examples) == sorted(
        pathlib.Path(day.artifacts["examples"]).name for day in (log, first, result.record)
    )
    assert status(output)["served"]["day"] == name_of(FIRST + 1)


def test_what_follows_a_day_done_again_is_repeated(world, output):
    config = day_config(output, None, ())
    patterns = [world.items(FIRST).replace(name_of(FIRST), "{day}")]
    logs = [world.impressions(FIRST).replace(name_of(FIRST), "{day}")]
    results = backfill(patterns, logs, output, config, CONSOLE, name_of(FIRST), name_of(FIRST + 1))
    assert [result.repeated for result in results] == [True, False]
    total = impressions_counted(output, results[1].record)
    # One path for every day: it no longer holds what the second day was done with.
    ledger = Ledger.open(output)
    second = ledger.last.model_copy(update={"impressions": [world.changed(FIRST)]})
    ledger.model_copy(update={"days": [*ledger.days[:-1], second]}).write(output)
    with pytest.raises(InputError, match=f"is not what day {second.name} was done with"):
        world.day(FIRST, output, world.changed(FIRST), redo=True)
    ledger.write(output)
    world.day(FIRST, output, world.changed(FIRST), redo=True)
    ledger = Ledger.open(output)
    assert [day.name for day in ledger.days[1:]] == [name_of(FIRST), name_of(FIRST + 1)]
    assert ledger.pending == []
    assert impressions_counted(output, ledger.last) == total - 5
    assert status(output)["served"]["day"] == name_of(FIRST + 1)
    rows = pq.read_table(os.path.join(output, "days.parquet")).to_pandas()
    assert sorted(rows["day"].unique()) == [day.start for day in ledger.days[1:]]
    known = sids(output, ledger.days[0])
    assert {item: sids(output, ledger.last)[item] for item in known} == known
    with open(os.path.join(output, "days.json"), encoding="utf-8") as file:
        assert len(json.load(file)["days"]) == 3
    assert np.isfinite(rows["auc"].dropna()).all()
