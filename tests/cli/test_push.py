"""`sid push --rollback`, and the release that follows."""

import io
import json
import os
import shutil
import signal

import pytest
import rich.console

from semantic_id_ranking.cli import push
from semantic_id_ranking.components.releaser.journal import recover
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import releases_with
from semantic_id_ranking.components.releaser.release import write_releases
from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from tests import releases

A, B, C = "a" * 16, "b" * 16, "c" * 16


def add_release(models, release):
    write_releases(models, releases_with(models, release, {}))


def version(models, name, number, space=None):
    path = models / name / str(number)
    path.mkdir(parents=True)
    (path / "saved_model.pb").touch()
    if space:
        SidSpace(space, 3, 16, 4).save(str(path / "assets.extra"))


def release(models, ranker, semantic_id, space):
    """Versions of both models, and the release that a run writes with them."""
    version(models, "ranker", ranker, space)
    version(models, "semantic_id", semantic_id, space)
    versions = {"ranker": ranker, "semantic_id": semantic_id}
    add_release(str(models), releases.release(versions=versions, fingerprint=space))


def rollback(models, model=None):
    printed = io.StringIO()
    push.rollback(str(models), model, rich.console.Console(file=printed, width=300))
    return printed.getvalue()


def served(models):
    return {
        name: VersionFolder(str(models / name)).versions()
        for name in ("ranker", "semantic_id")
        if (models / name).is_dir()
    }


def refused(models, model, fact):
    before = sorted(models.rglob("*"))
    with pytest.raises(InputError, match=fact) as error:
        rollback(models, model)
    assert "\n" not in str(error.value)
    assert sorted(models.rglob("*")) == before


def test_the_ranker_and_its_release_go_back_and_both_encoders_stay_for_now(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, B)
    release(tmp_path, 3, 13, C)
    assert "ranker: version 2 is the newest again; 3 is in" in rollback(tmp_path)
    # A server serves the two newest encoders: of the ranker that goes and of the one that comes.
    assert served(tmp_path) == {"ranker": [1, 2], "semantic_id": [11, 12, 13]}
    assert (tmp_path / "ranker" / ".rolled_back" / "3" / "saved_model.pb").is_file()
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 2, "semantic_id": 12}
    said = rollback(tmp_path)
    assert "semantic_id: version 12 is the newest again; 13 is in" in said
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11, 12]}
    assert json.loads((tmp_path / "release.json").read_text()) == {
        "versions": {"ranker": 1, "semantic_id": 11},
        "fingerprint": A,
        "models": {},
        "semantic_ids": "",
        "state": "",
        "config": {},
        "before": [],
    }


def test_a_model_that_both_releases_have_stays(tmp_path):
    release(tmp_path, 1, 11, A)
    version(tmp_path, "ranker", 2, A)
    add_release(str(tmp_path), releases.release(versions={"ranker": 2, "semantic_id": 11}))
    assert "semantic_id" not in rollback(tmp_path)
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11]}
    assert [r.versions for r in read_releases(str(tmp_path))] == [{"ranker": 1, "semantic_id": 11}]


def test_a_release_whose_versions_are_gone_is_passed_over(tmp_path):
    for ranker in (1, 2, 3):
        release(tmp_path, ranker, 10 + ranker, A)
    shutil.rmtree(tmp_path / "semantic_id" / "12")
    rollback(tmp_path)
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11, 13]}


def test_an_encoder_in_between_does_not_displace_the_two_that_are_needed(tmp_path):
    release(tmp_path, 1, 11, A)
    version(tmp_path, "semantic_id", 12, B)
    release(tmp_path, 3, 13, C)
    version(tmp_path, "semantic_id", 14, B)
    rollback(tmp_path)
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11, 13]}


def test_no_ranker_in_between_is_served_during_a_rollback(tmp_path, monkeypatch):
    release(tmp_path, 1, 11, A)
    for number in (2, 3, 4):
        version(tmp_path, "ranker", number, A)
    add_release(
        str(tmp_path),
        releases.release(versions={"ranker": 4, "semantic_id": 11}, fingerprint=A),
    )
    newest, rename = [], os.rename

    def look(source, target):
        rename(source, target)
        newest.append(served(tmp_path)["ranker"][-1])

    monkeypatch.setattr(os, "rename", look)
    rollback(tmp_path)
    assert newest == [4, 4, 1]


def test_without_an_older_version_nothing_moves(tmp_path):
    release(tmp_path, 1, 11, A)
    refused(tmp_path, None, "ranker: holds version 1 alone; a rollback needs an older one")
    # The encoder could go back, the ranker cannot.
    version(tmp_path, "semantic_id", 12, A)
    refused(tmp_path, None, "ranker: holds version 1 alone")


def test_one_model_goes_back_within_its_space(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, A)
    rollback(tmp_path, "ranker")
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11, 12]}
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 1, "semantic_id": 12}


def test_the_ranker_alone_goes_back_into_a_space_whose_encoder_is_served(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, B)
    rollback(tmp_path, "ranker")
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11, 12]}
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 1, "semantic_id": 11}


def test_an_encoder_does_not_leave_its_ranker_alone(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, B)
    refused(tmp_path, "semantic_id", f"{B} with a semantic_id of {A}, .*leave out --model")


def test_a_ranker_without_an_encoder_of_its_space_does_not_come_back(tmp_path):
    version(tmp_path, "ranker", 1, A)
    version(tmp_path, "ranker", 2, B)
    version(tmp_path, "semantic_id", 12, B)
    refused(tmp_path, None, f"ranker version 1 of SID space {A} with a semantic_id of {B}")


def test_an_encoder_pushed_alone_goes_back_alone(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, A)
    version(tmp_path, "semantic_id", 13, B)
    rollback(tmp_path, "semantic_id")
    assert served(tmp_path) == {"ranker": [1, 2], "semantic_id": [11, 12]}
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 2, "semantic_id": 12}


def test_models_that_name_no_space_go_back(tmp_path):
    for number in (1, 2):
        version(tmp_path, "ranker", number)
    version(tmp_path, "semantic_id", 5, A)
    rollback(tmp_path, "ranker")
    assert served(tmp_path)["ranker"] == [1]
    assert not (tmp_path / "release.json").exists()


def test_a_release_that_is_not_known_is_named(tmp_path):
    version(tmp_path, "ranker", 1, A)
    version(tmp_path, "semantic_id", 11, A)
    release(tmp_path, 2, 12, A)
    refused(tmp_path, None, r"release\.json: has nothing on ranker version 1")


def test_unknown_models_and_folders_are_named(tmp_path):
    release(tmp_path, 1, 11, A)
    refused(tmp_path, "rankr", "--model rankr: no such model .* holds ranker, semantic_id")
    with pytest.raises(InputError, match="holds no model"):
        rollback(tmp_path / "absent")


def test_a_move_that_fails_undoes_the_others(tmp_path, monkeypatch):
    release(tmp_path, 1, 11, A)
    version(tmp_path, "semantic_id", 12, B)
    release(tmp_path, 2, 13, C)
    before = sorted(tmp_path.rglob("*"))
    rename = os.rename

    def fail(source, target):
        if source.endswith("/ranker/2"):
            raise PermissionError(13, "Permission denied", source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(InputError, match=r"ranker/2: cannot be moved .*\(Permission denied\)"):
        rollback(tmp_path)
    after = [path for path in sorted(tmp_path.rglob("*")) if path.name != ".rolled_back"]
    assert after == before
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 2, "semantic_id": 13}


def test_a_rollback_that_is_killed_is_completed_by_the_next_start(tmp_path):
    release(tmp_path, 1, 11, A)
    version(tmp_path, "semantic_id", 12, B)
    release(tmp_path, 2, 13, C)
    for step in range(4):
        copy = tmp_path.parent / f"{tmp_path.name}-{step}"
        shutil.copytree(tmp_path, copy)
        assert killed_before(step, lambda copy=copy: rollback(copy))
        begun = (copy / ".releasing.json").exists()
        recover(str(copy))
        assert served(copy) == (
            {"ranker": [1], "semantic_id": [11, 13]}
            if begun
            else {"ranker": [1, 2], "semantic_id": [11, 12, 13]}
        )
        assert read_releases(str(copy))[0].versions["ranker"] == (1 if begun else 2)
        assert begun == (step > 0)


def test_a_killed_rollback_that_is_repeated_goes_back_once(tmp_path):
    for number, space in enumerate((A, B, C), 1):
        release(tmp_path, number, 10 + number, space)
    for step in range(3):
        copy = tmp_path.parent / f"{tmp_path.name}-{step}"
        shutil.copytree(tmp_path, copy)
        assert killed_before(step, lambda copy=copy: rollback(copy))
        assert f"ranker: version 2 is the newest again; 3 is in {copy}/ranker" in rollback(copy)
        assert served(copy)["ranker"] == [1, 2]
        assert read_releases(str(copy))[0].versions == {"ranker": 2, "semantic_id": 12}
    # One that was not interrupted goes back further.
    assert "ranker: version 1 is the newest again" in rollback(copy)


def killed_before(step, action):
    """Whether an action in a process of its own was killed before a rename or a written file."""
    pid = os.fork()
    if pid == 0:
        left = [step]

        def dying(call):
            def die_or_call(*arguments):
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return call(*arguments)

            return die_or_call

        os.rename, os.replace = dying(os.rename), dying(os.replace)
        try:
            action()
        finally:
            os._exit(1)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_releases_whose_models_are_gone_are_forgotten(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, A)
    shutil.rmtree(tmp_path / "ranker" / "1")
    release(tmp_path, 3, 13, A)
    assert [r.versions["ranker"] for r in read_releases(str(tmp_path))] == [3, 2]


def test_the_same_release_again_is_one(tmp_path):
    release(tmp_path, 1, 11, A)
    again = releases.release(versions={"ranker": 1, "semantic_id": 11}, fingerprint="anew")
    add_release(str(tmp_path), again)
    assert [r.fingerprint for r in read_releases(str(tmp_path))] == ["anew"]
