"""Artifacts of several runs in an output folder, and their removal by `sid gc`."""

import io
import os
import pathlib
import shutil
import sqlite3

import pytest
import rich.console

from semantic_id_ranking.cli.gc import gc
from semantic_id_ranking.components.releaser.release import write_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.local_run import run_locally
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.pipeline.run_records import RunRecords
from semantic_id_ranking.serving.store import open_store
from tests import releases
from tests.pipeline import two_components
from tests.release_world import A
from tests.release_world import B
from tests.release_world import C
from tests.release_world import ReleaseWorld
from tests.release_world import write_model


@pytest.fixture
def output(tmp_path):
    return tmp_path / "output"


def run(output, text, epochs, finished=True):
    """Runs the two components; returns what was recorded."""
    output.mkdir(exist_ok=True)
    destinations = Destinations.under(str(output))
    records = run_locally(two_components.make(destinations, text, epochs), destinations)
    if finished:
        records.mark_finished()
    return records


def collect(output, keep):
    printed = io.StringIO()
    gc(str(output), keep, rich.console.Console(file=printed, width=200))
    return printed.getvalue()


def model(records):
    return pathlib.Path(records.output("Train", "model").uri)


def files(output):
    return {path.name for path in output.rglob("*.txt")}


def kept(output):
    """The artifacts of an output folder, `component/output/execution`."""
    root = output / "artifacts"
    return {
        str(path.relative_to(root)) for path in root.glob("*/*/*") if path.parent.name[0] != "."
    }


def test_a_run_takes_from_the_cache_what_gc_kept_and_makes_anew_what_it_removed(output):
    old, new = run(output, "a", 1), run(output, "a", 2)
    examples = new.output("Read", "examples").uri
    assert old.output("Read", "examples").uri == examples
    said = collect(output, 1)
    assert "removed 1 artifacts" in said
    assert new.run_id in said
    assert not model(old).exists()
    assert model(new).joinpath("model.txt").read_text() == "aa"
    assert os.path.isdir(examples)

    again = run(output, "a", 2)
    assert sorted(again.cached()) == ["Read", "Train"]
    assert model(again) == model(new)

    anew = run(output, "a", 1)
    assert anew.cached() == ["Read"]
    assert model(anew).joinpath("model.txt").read_text() == "a"
    assert model(anew) != model(old)


def test_an_artifact_that_was_removed_is_not_taken_from_the_cache_though_its_folder_is_back(output):
    old = run(output, "a", 1)
    run(output, "b", 1)
    collect(output, 1)
    model(old).mkdir()
    assert run(output, "a", 1).cached() == []


def test_the_newest_finished_runs_are_kept_and_unfinished_ones_are_not(output):
    first, second, third = (run(output, text, 1) for text in "abc")
    unfinished = run(output, "d", 1, finished=False)
    collect(output, 2)
    assert [model(r).exists() for r in (first, second, third, unfinished)] == [0, 1, 1, 0]


def test_what_the_releases_name_is_kept(output):
    served, before, neither = (run(output, text, 1) for text in "abc")
    run(output, "d", 1)
    (output / "serving").mkdir()
    named = [releases.release(state=str(model(made))) for made in (served, before)]
    write_releases(str(output / "serving"), named)
    collect(output, 1)
    assert [model(r).exists() for r in (served, before, neither)] == [1, 1, 0]


def test_a_moved_output_folder_is_collected_as_it_was(output, tmp_path):
    run(output, "a", 1)
    new = run(output, "b", 1)
    moved = tmp_path / "moved"
    shutil.copytree(output, moved)
    collect(moved, 1)
    number = model(new).name
    assert {path.split("/")[2] for path in kept(moved)} == {number, str(int(number) - 1)}
    assert len(kept(output)) == 4


def test_leavings_of_killed_runs_go(output):
    run(output, "a", 1)
    before = kept(output)
    root = output / "artifacts"
    for folder in (
        root / "Train/model/99",
        root / "Train/model/checkpoints-0123",
        root / "Train/.system/executor_execution/99/.temp",
        root / "Gone/model/3",
        output / "tmp/beam-temp",
        output / "serving/ranker/.pushing-abc",
        output / "serving/ranker/17",
    ):
        folder.mkdir(parents=True)
        (folder / "file.txt").write_text("half")
    collect(output, 1)
    assert kept(output) == before
    left = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_dir()}
    assert not {path for path in left if ".system" in path or ".pushing" in path or "tmp" in path}
    assert (output / "serving/ranker/17/file.txt").exists()


def test_a_space_leaves_the_store_when_no_version_reads_it(output, tmp_path, monkeypatch):
    run(output, "a", 1)
    url = f"sqlite:///{tmp_path}/sids.sqlite"
    monkeypatch.setenv("SIDS", url)
    world = ReleaseWorld(output, monkeypatch, "env:SIDS")
    for name, space in (("one", A), ("two", B), ("three", C)):
        world.release(name, space, keep_versions=1)
    # Nobody else's space goes.
    other = SidSpace("d" * 16, 2, 10)
    with open_store(url) as store:
        store.add_space(other)
        assert set(store.spaces()) == {A, B, C, other.fingerprint}
    said = collect(output, 1)
    assert "and from the store 1 SID spaces" in said
    with open_store(url) as store:
        # The encoder of the ranker before is still there.
        assert set(store.spaces()) == {B, C, other.fingerprint}
    shutil.rmtree(output / "serving/semantic_id/1001")
    write_model(output / "serving/ranker/.rolled_back/1001", B, "two")
    collect(output, 1)
    with open_store(url) as store:
        assert B in store.spaces()
    shutil.rmtree(output / "serving/ranker/.rolled_back")
    collect(output, 1)
    with open_store(url) as store:
        assert set(store.spaces()) == {C, other.fingerprint}


def test_a_store_that_does_not_answer_keeps_everything(output, tmp_path, monkeypatch):
    run(output, "a", 1)
    run(output, "b", 1)
    monkeypatch.setenv("SIDS", f"sqlite:///{tmp_path}/sids.sqlite")
    world = ReleaseWorld(output, monkeypatch, "env:SIDS")
    for name, space in (("one", A), ("two", B), ("three", C)):
        world.release(name, space, keep_versions=1)
    monkeypatch.delenv("SIDS")
    before = kept(output)
    with pytest.raises(InputError, match="there is no environment variable SIDS"):
        collect(output, 1)
    assert kept(output) == before


def test_gc_waits_for_no_run_but_refuses(output):
    run(output, "a", 1)
    run(output, "b", 1)
    holder = rf"sid run \(process {os.getpid()} on .*, since "
    with output_lock(str(output), "sid run"), pytest.raises(InputError, match=holder):
        collect(output, 1)
    assert len(kept(output)) == 4


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "holds no run; sid gc needs the output folder"),
        (lambda path: path.mkdir(), "holds no run"),
        (lambda path: path.write_text(""), "is not a folder"),
        (lambda path: run(path, "a", 1, finished=False), "no run has finished there"),
    ],
)
def test_gc_of_what_holds_no_finished_run_removes_nothing(output, make, reason):
    make(output)
    before = files(output) if output.is_dir() else None
    with pytest.raises(InputError, match=reason):
        collect(output, 1)
    assert (files(output) if output.is_dir() else None) == before


def test_a_component_writes_into_an_empty_folder_though_executions_are_counted_anew(output):
    """As when an older metadata file was put back."""
    run(output, "a", 1)
    old = (output / "metadata.sqlite").read_bytes()
    assert run(output, "b", 1).output("Read", "examples").uri.endswith("/3")
    (output / "metadata.sqlite").write_bytes(old)
    records = run(output, "c", 1)
    examples = pathlib.Path(records.output("Read", "examples").uri)
    assert (examples.name, examples.joinpath("examples.txt").read_text()) == ("3", "c")
    assert model(records).joinpath("model.txt").read_text() == "c"


def test_metadata_older_than_what_is_served_is_refused(output):
    run(output, "a", 1)
    old = (output / "metadata.sqlite").read_bytes()
    served = model(run(output, "b", 1))
    (output / "serving").mkdir()
    write_releases(str(output / "serving"), [releases.release(state=str(served))])
    (output / "metadata.sqlite").write_bytes(old)
    with pytest.raises(InputError, match=r"metadata\.sqlite: is older than .*/Train/model/4"):
        run(output, "c", 1)
    assert served.joinpath("model.txt").read_text() == "b"


def test_a_run_removes_what_killed_runs_left_and_keeps_checkpoints(output):
    run(output, "a", 1)
    with pytest.raises(RuntimeError, match="negative"):
        run(output, "a", -1)
    root = output / "artifacts"
    # As of a process that was killed: recorded as running, with a half of its output.
    with sqlite3.connect(output / "metadata.sqlite") as connection:
        connection.execute("UPDATE Execution SET last_known_state = 2 WHERE last_known_state = 4")
    connection.close()
    for folder in ("Train/model/4", "Train/.system/executor_execution/4/.temp"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "half.txt").write_text("half")
    (root / "Train/model/checkpoints-0123").mkdir()
    (output / "tmp/beam-temp").mkdir(parents=True)
    run(output, "b", 1)
    assert "half.txt" not in files(output)
    assert (root / "Train/model/checkpoints-0123").is_dir()
    assert not (output / "tmp").exists()


def test_records_are_those_of_the_run_that_was_asked_for(output):
    first, second = run(output, "a", 1), run(output, "b", 1)
    path = str(output / "metadata.sqlite")
    assert first.run_id != second.run_id
    assert RunRecords(path).run_id == second.run_id
    assert model(RunRecords(path, first.run_id)) == model(first) != model(second)
    with pytest.raises(LookupError, match="records no run yesterday"):
        RunRecords(path, "yesterday")


def test_a_run_that_another_one_overtook_reads_its_own_records(output, monkeypatch):
    """Two runs on one metadata file: the second one begins while the first is at work."""
    output.mkdir()
    destinations = Destinations.under(str(output))
    slow = two_components.make(destinations, "slow", 1)
    launch = two_components.tfx.orchestration.LocalDagRunner.run_with_ir

    def overtaken(self, *args, **kwargs):
        launch(self, *args, **kwargs)
        monkeypatch.undo()
        run(output, "fast", 1)

    monkeypatch.setattr(two_components.tfx.orchestration.LocalDagRunner, "run_with_ir", overtaken)
    records = run_locally(slow, destinations)
    assert model(records).joinpath("model.txt").read_text() == "slow"


def test_folders_are_made_with_the_umask_of_the_process(output):
    before = os.umask(0o002)
    try:
        run(output, "a", 1)
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in output.rglob("*")}
    folders = {path: mode for path, mode in modes.items() if path.is_dir()}
    assert {str(path): oct(mode) for path, mode in folders.items() if mode != 0o775} == {}
    others = {str(path): oct(mode) for path, mode in modes.items() if path not in folders}
    assert {path: mode for path, mode in others.items() if mode != "0o664"} == {}
