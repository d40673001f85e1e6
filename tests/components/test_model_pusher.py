"""The executor of ModelPusher, on artifacts made by hand."""

import os
import pathlib
import shutil

import pytest
from tfx.components.pusher import executor as pusher_executor
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import io_utils
from tfx.utils import json_utils
from tfx.utils import proto_utils

from semantic_id_ranking.components.model_pusher.executor import Executor
from semantic_id_ranking.components.model_pusher.executor import PUSHED_BEFORE
from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from tests import exported_models


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Five models of one SID space, of factors 1 to 5, and one of another space."""
    folder = tmp_path_factory.mktemp("exported")
    other = SidSpace("0123456789abcdef", 2, 100, 2)
    models = {str(factor): {"factor": float(factor)} for factor in range(1, 6)}
    for name, options in (models | {"other": {"space": other}}).items():
        exported_models.export(folder / name / "Format-Serving", **options)
    return folder


@pytest.fixture
def artifact(exported, tmp_path):
    """The artifact of a model, a copy that may be damaged."""

    def copied(name="1", uri="model"):
        artifact = standard_artifacts.Model()
        artifact.uri = str(tmp_path / uri)
        shutil.copytree(exported / name, artifact.uri, dirs_exist_ok=True)
        return artifact

    return copied


@pytest.fixture
def model(artifact):
    return artifact()


def push(tmp_path, model, blessed=True, keep=3, companion=None):
    blessing = standard_artifacts.ModelBlessing()
    blessing.uri = str(tmp_path / "blessing")
    blessing.set_int_custom_property("blessed", int(blessed))
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(tmp_path / "pushed")
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(tmp_path / "ranker"))
    )
    Executor().Do(
        {"model": [model], "companion": [companion or model], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        {
            "push_destination": proto_utils.proto_to_json(destination),
            "custom_config": json_utils.dumps({"keep_versions": keep}),
        },
    )
    return pushed


def content(path):
    path = pathlib.Path(path)
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def test_the_version_has_every_file_and_the_artifact_says_where(tmp_path, model):
    pushed = push(tmp_path, model)
    (version,) = os.listdir(tmp_path / "ranker")
    files = content(f"{model.uri}/Format-Serving")
    assert content(tmp_path / "ranker" / version) == files == content(pushed.uri)
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == version
    assert pushed.get_string_custom_property("pushed_destination") == str(
        tmp_path / "ranker" / version
    )


def test_pushes_within_one_second_are_versions_of_their_own(tmp_path, artifact, monkeypatch):
    monkeypatch.setattr(pusher_executor.time, "time", lambda: 1000.5)
    for name in ("1", "2", "3", "4"):
        pushed = push(tmp_path, artifact(name))
    assert sorted(os.listdir(tmp_path / "ranker")) == ["1001", "1002", "1003"]
    assert pushed.get_string_custom_property("pushed_version") == "1003"


def test_what_is_not_blessed_changes_nothing(tmp_path, model):
    for version in (1, 2):
        (tmp_path / "ranker" / str(version)).mkdir(parents=True)
    pushed = push(tmp_path, model, blessed=False, keep=1)
    assert pushed.get_int_custom_property("pushed") == 0
    assert sorted(os.listdir(tmp_path / "ranker")) == ["1", "2"]


def test_no_version_is_there_while_files_are_copied(tmp_path, model, monkeypatch):
    seen = []
    for name in ("copy_dir", "copy_file"):
        copy = getattr(io_utils, name)

        def look(*arguments, copy=copy, **options):
            copy(*arguments, **options)
            seen.extend(os.listdir(tmp_path / "ranker"))

        monkeypatch.setattr(io_utils, name, look)
    push(tmp_path, model)
    assert seen
    assert not [name for name in seen if name.isdigit()]


def test_a_copy_that_fails_leaves_nothing(tmp_path, model, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(io_utils, "copy_file", fail)
    with pytest.raises(OSError, match="disk full"):
        push(tmp_path, model)
    assert os.listdir(tmp_path / "ranker") == []


def test_a_model_is_not_pushed_twice(tmp_path, artifact):
    first, second = (push(tmp_path, artifact(name)) for name in ("1", "2"))
    for name, before in (("2", second), ("1", first)):
        again = push(tmp_path, artifact(name))
        assert again.get_int_custom_property(PUSHED_BEFORE) == 1
        for key in ("pushed_destination", "pushed_version"):
            assert again.get_string_custom_property(key) == before.get_string_custom_property(key)
        assert content(again.uri) == content(tmp_path / "model" / "Format-Serving")
    assert len(os.listdir(tmp_path / "ranker")) == 2


def test_a_model_that_was_rolled_back_is_not_pushed_again(tmp_path, artifact):
    push(tmp_path, artifact("1"))
    pushed = push(tmp_path, artifact("2"))
    folder = VersionFolder(str(tmp_path / "ranker"))
    before, bad = folder.versions()
    folder.set_aside(bad)
    again = push(tmp_path, artifact("2"))
    assert folder.versions() == [before]
    path = again.get_string_custom_property("pushed_destination")
    assert path == pushed.get_string_custom_property("pushed_destination")


def refused(tmp_path, fact, model, companion=None):
    """Something is served, which stays; nothing is pushed."""
    before = content(tmp_path / "ranker")
    assert before
    with pytest.raises(InputError, match=fact) as error:
        push(tmp_path, model, companion=companion)
    assert "\n" not in str(error.value)
    assert content(tmp_path / "ranker") == before


def test_a_damaged_model_is_not_pushed(tmp_path, artifact):
    push(tmp_path, artifact("1"))
    model = artifact("2")
    for position in range(4):
        data = f"{model.uri}/Format-Serving/variables/variables.data-00000-of-00001"
        exported_models.flip_bit(data, position)
    refused(tmp_path, f"nothing is pushed: {model.uri}/Format-Serving: variables/.* is not", model)


def test_a_model_is_not_pushed_beside_a_damaged_one_or_one_of_another_space(tmp_path, artifact):
    push(tmp_path, artifact("1"))
    model, damaged = artifact("2"), artifact("3", "damaged")
    exported_models.flip_bit(f"{damaged.uri}/Format-Serving/saved_model.pb", 9)
    refused(tmp_path, "damaged/Format-Serving: saved_model.pb is not as it was", model, damaged)
    other = artifact("other", "other")
    refused(tmp_path, "abcdefabcdefabcd but .*other/.* in 0123456789abcdef", model, other)


def test_a_copy_that_comes_out_otherwise_is_not_pushed(tmp_path, artifact, monkeypatch):
    push(tmp_path, artifact("1"))
    copy = io_utils.copy_file

    def copy_badly(source, target, *arguments, **options):
        copy(source, target, *arguments, **options)
        exported_models.flip_bit(target, -1)

    monkeypatch.setattr(io_utils, "copy_file", copy_badly)
    refused(tmp_path, r"saved_model\.pb is not as it was exported", artifact("2"))
