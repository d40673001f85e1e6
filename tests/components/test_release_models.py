"""A release: what gets where, in which order, and what a kill anywhere leaves."""

import json
import os
import pathlib
import shutil
import signal

import pytest

from semantic_id_ranking.components.releaser import journal
from semantic_id_ranking.components.releaser import release_models as release_models_module
from semantic_id_ranking.components.releaser.journal import recover
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release_models import release_models
from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import SidStore
from tests.release_world import A
from tests.release_world import B
from tests.release_world import C
from tests.release_world import ReleaseWorld


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path}/sids.sqlite"


@pytest.fixture
def world(tmp_path, monkeypatch, store):
    return ReleaseWorld(tmp_path / "output", monkeypatch, store)


def test_both_models_their_semantic_ids_and_the_release_get_there(world, store):
    outcome = world.release("first", A)
    assert (world.rankers, world.encoders) == (["first"], [A])
    assert outcome.versions == {"ranker": 1000, "semantic_id": 1000}
    assert outcome.pushed == {"ranker", "semantic_id"}
    with open_store(store) as opened:
        assert opened.get(A, ["item2", "item3"]).tolist() == [[2, 0], [-1, -1]]
    (release,) = read_releases(world.serving)
    assert (release.versions, release.fingerprint) == (outcome.versions, A)
    assert release.state == "artifacts/histories/first"
    names = {"ranker", "semantic_id", "release.json", ".published.json"}
    assert set(os.listdir(world.serving)) == names


def test_what_is_called_is_what_is_renamed(world):
    world.release("first", A)
    (called,) = world.called
    assert all("/serving/" in path and "/.pushing-" in path for path in called.values())
    world.release("second", A)
    # The encoder is a version already: it is called where it is.
    assert world.called[1]["semantic_id"] == f"{world.serving}/semantic_id/1000"


def test_the_order_is_store_models_encoder_ranker_release(world, monkeypatch):
    world.release("first", A)
    events = []
    put, rename, replace = SidStore.put, os.rename, os.replace

    def note(event, call):
        def noted(*arguments, **options):
            events.append(event(*arguments))
            return call(*arguments, **options)

        return noted

    monkeypatch.setattr(SidStore, "put", note(lambda *_: "store", put))
    monkeypatch.setattr(
        release_models_module, "require_releasable", note(lambda *_: "call", lambda *_: None)
    )
    monkeypatch.setattr(os, "rename", note(lambda _, to: to.split("/")[-2], rename))
    monkeypatch.setattr(os, "replace", note(lambda _, to: to.split("/")[-1], replace))
    world.release("second", B)
    assert events == [
        ".published.json",
        "store",
        "call",
        ".releasing.json",
        "semantic_id",
        "ranker",
        "release.json",
    ]


def test_with_a_frozen_space_the_encoder_stays(world):
    for name in ("first", "second", "third"):
        outcome = world.release(name, A)
    assert (world.rankers, list(world.versions("semantic_id"))) == (
        ["first", "second", "third"],
        [1000],
    )
    assert outcome.pushed == {"ranker"}
    assert [r.versions["semantic_id"] for r in read_releases(world.serving)] == [1000] * 3


def test_the_same_release_again_changes_nothing(world):
    world.release("first", A)
    before = snapshot(world.output)
    outcome = world.release("first", A)
    assert outcome.pushed == set()
    assert snapshot(world.output) == before


def test_an_encoder_stays_as_long_as_a_ranker_of_its_space_and_two_do_anyway(world):
    world.release("one", A, keep_versions=2)
    world.release("two", B, keep_versions=2)
    world.release("three", B, keep_versions=2)
    world.release("four", B, keep_versions=2)
    assert (world.rankers, world.encoders) == (["three", "four"], [A, B])
    world.release("five", C, keep_versions=1)
    assert (world.rankers, world.encoders) == (["five"], [B, C])
    assert [r.versions["ranker"] for r in read_releases(world.serving)] == [1004]


def test_an_earlier_ranker_comes_again_under_a_new_number_and_its_encoder_stays(world):
    world.release("old", A)
    world.release("new", B)
    outcome = world.release("old", A)
    assert outcome.versions == {"ranker": 1002, "semantic_id": 1000}
    assert (world.rankers, world.encoders) == (["new", "old"], [A, B])
    assert [r.fingerprint for r in read_releases(world.serving)] == [A, B]


def test_the_two_newest_encoders_are_those_of_the_served_and_the_next_ranker(world):
    for name, space in (("a", A), ("b", B), ("c", C)):
        world.release(name, space)
    world.release("a again", A)
    assert (world.rankers[-1], world.encoders) == ("a again", [A, C])
    # b's encoder is brought back from where it was set aside, under a new number.
    world.release("b again", B)
    assert world.encoders == [A, B]


def test_a_pause_lets_servers_load_a_new_encoder_before_its_ranker(world, monkeypatch):
    slept = []

    def sleep(seconds):
        if seconds:
            slept.append((seconds, world.rankers[-1], world.encoders[-1]))

    monkeypatch.setattr(journal.time, "sleep", sleep)
    world.release("first", A, load_seconds=7.0)
    world.release("second", A, load_seconds=7.0)
    assert slept == []
    world.release("third", B, load_seconds=7.0)
    assert slept == [(7.0, "second", B)]


def refused(world, release, fact):
    before = snapshot(pathlib.Path(world.serving))
    with pytest.raises(InputError, match=fact) as error:
        release_models(world.serving, release)
    assert "\n" not in str(error.value)
    assert snapshot(pathlib.Path(world.serving)) == before


def test_what_does_not_belong_together_is_named_before_anything_is_written(world, store):
    world.release("first", A)
    good, other = world.run("second", A), world.run("third", B)
    mixed = good.model_copy(update={"models": {**good.models, "ranker": other.models["ranker"]}})
    refused(world, mixed, f"nothing is pushed: .*encoder/{A} lives in SID space {A} but .* in {B}")
    sids = good.model_copy(update={"semantic_ids": other.semantic_ids})
    refused(world, sids, f"but .*/artifacts/sids/{B} in {B}")
    with open_store(store) as opened:
        assert list(opened.spaces()) == [A]


def test_a_damaged_model_is_named(world, tmp_path):
    world.release("first", A)
    release = world.run("second", A)
    (world.output / release.models["ranker"] / "saved_model.pb").write_text("other")
    refused(world, release, r"saved_model\.pb is not as it was exported")


def test_a_store_that_does_not_answer_releases_nothing(tmp_path, monkeypatch):
    world = ReleaseWorld(tmp_path / "output", monkeypatch)
    world.release("first", A)
    monkeypatch.setenv("SIDS", "redis://u:s3cret@127.0.0.1:1/0")
    monkeypatch.setattr(
        "semantic_id_ranking.components.releaser.publish_sids._TIMEOUT_SECONDS", 0.1
    )
    world.store = "env:SIDS"
    with pytest.raises(InputError, match="Redis did not answer") as error:
        world.release("second", B)
    assert "s3cret" not in str(error.value)
    assert (world.rankers, world.encoders) == (["first"], [A])


def test_a_password_is_in_no_file(world, monkeypatch, store):
    url = store.replace("sids.sqlite", "s3cret.sqlite")
    monkeypatch.setenv("SIDS", url)
    world.store = "env:SIDS"
    world.release("first", A)
    with open_store(url) as opened:
        assert list(opened.spaces()) == [A]
    files = {path: path.read_bytes() for path in world.output.rglob("*") if path.is_file()}
    assert [path for path, found in files.items() if b"s3cret" in found] == []


@pytest.mark.parametrize("failing", ["semantic_id", "ranker", "release.json"])
def test_a_step_that_fails_undoes_those_before(world, monkeypatch, failing):
    world.release("first", A)
    release = world.run("second", B)
    before = snapshot(pathlib.Path(world.serving))
    rename, replace = os.rename, os.replace

    def fail(call):
        def failed(source, target):
            if (".pushing-" in source and f"/{failing}/" in target) or target.endswith(failing):
                raise OSError(28, "No space left on device", target)
            return call(source, target)

        return failed

    monkeypatch.setattr(os, "rename", fail(rename))
    monkeypatch.setattr(os, "replace", fail(replace))
    fact = rf"{failing}\S*: cannot be moved or written \(No space left on device\)"
    with pytest.raises(InputError, match=fact):
        release_models(world.serving, release)
    monkeypatch.undo()
    after = snapshot(pathlib.Path(world.serving))
    # That the store has the space of a release that failed stays known, for `sid gc`.
    ignored = {".published.json", "release.json.tmp"}
    assert {k: v for k, v in after.items() if k not in ignored} == {
        k: v for k, v in before.items() if k not in ignored
    }


def test_a_journal_whose_folders_are_gone_is_undone_and_named(world):
    world.release("first", A)
    moves = [("semantic_id/.pushing-x/copy", "semantic_id/1001")]
    path = pathlib.Path(world.serving, ".releasing.json")
    path.write_text(json.dumps({"moves": moves, "release": None}))
    with pytest.raises(InputError, match=r"\.pushing-x/copy: cannot be moved .*No such file"):
        recover(world.serving)
    assert not path.exists()
    recover(world.serving)
    assert (world.rankers, world.encoders) == (["first"], [A])


# What is called on the way, each of which a kill may precede.
STEPS = (
    (os, "rename"),
    (os, "replace"),
    (os, "remove"),
    (shutil, "copytree"),
    (shutil, "rmtree"),
    (SidStore, "put"),
)
CASES = {
    "the first one": ([], ("new", A)),
    "into a new space": ([("old", A)], ("new", B)),
    "in the same space": ([("older", A), ("old", A)], ("new", A)),
    "again": ([("new", A), ("old", B), ("older", B)], ("new", A)),
    "with too many versions": ([("a", A), ("b", B), ("c", C)], ("new", A)),
}


def killed(step, action):
    """Whether an action in a process of its own was killed before a step, or came to its end."""
    pid = os.fork()
    if pid == 0:
        left = [step]

        def dying(call):
            def die_or_call(*arguments, **options):
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return call(*arguments, **options)

            return die_or_call

        for holder, name in STEPS:
            setattr(holder, name, dying(getattr(holder, name)))
        try:
            action()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def snapshot(folder):
    """Content of each file, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "run.lock"
    }


def require_served(world, old, new):
    """What a model server finds: whole versions, the newest ranker with its encoder beside it."""
    for model in ("ranker", "semantic_id"):
        folder = VersionFolder(os.path.join(world.serving, model))
        for version in folder.versions():
            check_file_digests(folder.version_path(version))
    if world.rankers or old:
        assert world.rankers[-1] in (old, new)
        rankers = VersionFolder(os.path.join(world.serving, "ranker"))
        space = rankers.fingerprint(rankers.versions()[-1])
        assert space in world.encoders[-2:]
        with open_store(world.store) as opened:
            assert space in opened.spaces()


@pytest.mark.parametrize("case", CASES)
def test_a_kill_anywhere_is_made_good_by_the_next_start(tmp_path, monkeypatch, case, store):
    earlier, (name, space) = CASES[case]
    world = ReleaseWorld(tmp_path / "output", monkeypatch, store)
    for ranker, its_space in earlier:
        world.release(ranker, its_space, keep_versions=3)
    release = world.run(name, space)
    shutil.copytree(world.output, tmp_path / "before")
    shutil.copy(tmp_path / "sids.sqlite", tmp_path / "before.sqlite") if earlier else None
    release_models(world.serving, release)
    expected = snapshot(world.output)
    step = completed = 0
    while True:
        shutil.rmtree(world.output)
        shutil.copytree(tmp_path / "before", world.output)
        for path in tmp_path.glob("sids.sqlite*"):
            path.unlink()
        if earlier:
            shutil.copy(tmp_path / "before.sqlite", tmp_path / "sids.sqlite")
        if not killed(step, lambda: release_models(world.serving, release)):
            break
        require_served(world, earlier and earlier[-1][0], name)
        pending = os.path.exists(os.path.join(world.serving, ".releasing.json"))
        with output_lock(str(world.output), "sid test"):
            pass
        require_served(world, earlier and earlier[-1][0], name)
        if pending:
            # It is complete without anything being released again.
            completed += 1
            assert snapshot(world.output) == expected, step
        assert list(pathlib.Path(world.serving).glob("*/.pushing-*")) == []
        release_models(world.serving, release)
        assert snapshot(world.output) == expected, step
        step += 1
    assert snapshot(world.output) == expected
    assert completed >= 3
    assert step > completed
