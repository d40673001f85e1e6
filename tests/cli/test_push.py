"""`sid push --rollback`, and the release that follows."""

import io
import json
import os
import pathlib
import shutil

import pytest
import rich.console

from semantic_id_ranking.cli import push
from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.pipeline.release import add_release
from semantic_id_ranking.pipeline.release import newest_versions
from semantic_id_ranking.pipeline.release import read_releases
from tests import releases

A, B = "a" * 16, "b" * 16


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


def test_both_models_and_their_release_go_back(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, B)
    release(tmp_path, 3, 13, B)
    assert "ranker: version 2 is the newest again; 3 is in" in rollback(tmp_path)
    assert served(tmp_path) == {"ranker": [1, 2], "semantic_id": [11, 12]}
    assert (tmp_path / "ranker" / ".rolled_back" / "3" / "saved_model.pb").is_file()
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 2, "semantic_id": 12}
    rollback(tmp_path)
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11]}
    assert json.loads((tmp_path / "release.json").read_text()) == {
        "versions": {"ranker": 1, "semantic_id": 11},
        "fingerprint": A,
        "models": {},
        "semantic_ids": "",
        "histories": "",
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
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11]}


def test_without_an_older_version_nothing_moves(tmp_path):
    release(tmp_path, 1, 11, A)
    refused(tmp_path, None, "ranker: holds version 1 alone; a rollback needs an older one")
    # The encoder could go back, the ranker cannot: neither does.
    version(tmp_path, "semantic_id", 12, A)
    refused(tmp_path, None, "ranker: holds version 1 alone")


def test_one_model_goes_back_within_its_space(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, A)
    rollback(tmp_path, "ranker")
    assert served(tmp_path) == {"ranker": [1], "semantic_id": [11, 12]}
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 1, "semantic_id": 12}


def test_one_model_does_not_leave_its_space_alone(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, B)
    for model in ("ranker", "semantic_id"):
        refused(tmp_path, model, f"{A} and .*{B}|{B} and .*{A}.*leave out --model")


def test_an_encoder_pushed_alone_goes_back_alone(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, A)
    version(tmp_path, "semantic_id", 13, B)
    rollback(tmp_path, "semantic_id")
    assert served(tmp_path) == {"ranker": [1, 2], "semantic_id": [11, 12]}
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 2, "semantic_id": 12}


def test_histories_of_different_length_are_not_mixed(tmp_path):
    release(tmp_path, 1, 11, A)
    release(tmp_path, 2, 12, A)
    version(tmp_path, "semantic_id", 13, B)
    version(tmp_path, "semantic_id", 14, B)
    refused(tmp_path, None, "which do not belong together; name one with --model")


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
    release(tmp_path, 2, 12, A)
    rename = os.rename

    def fail(source, target):
        if source.endswith("/12"):
            raise PermissionError(13, "Permission denied", source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(InputError, match=r"semantic_id/12: cannot be moved \(Permission denied\)"):
        rollback(tmp_path)
    assert served(tmp_path) == {"ranker": [1, 2], "semantic_id": [11, 12]}
    assert read_releases(str(tmp_path))[0].versions == {"ranker": 2, "semantic_id": 12}


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


def test_a_push_is_a_release_while_it_is_the_newest(tmp_path):
    release(tmp_path, 1, 11, A)
    pushed = {"ranker": str(tmp_path / "ranker/1"), "semantic_id": str(tmp_path / "semantic_id/11")}
    assert newest_versions(pushed) == {"ranker": 1, "semantic_id": 11}
    assert newest_versions({**pushed, "ranker": None}) is None
    release(tmp_path, 2, 12, A)
    assert newest_versions(pushed) is None
    later = {
        "ranker": str(pathlib.Path(tmp_path, "ranker", "2")),
        "semantic_id": str(pathlib.Path(tmp_path, "semantic_id", "12")),
    }
    rollback(tmp_path)
    assert newest_versions(later) is None
    assert newest_versions(pushed) == {"ranker": 1, "semantic_id": 11}
