"""The Pusher's executor, on artifacts made by hand."""

import os
import pathlib

import pytest
from tfx.components.pusher import executor as pusher_executor
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import io_utils
from tfx.utils import json_utils
from tfx.utils import proto_utils

from semantic_id_ranking.components.model_pusher.executor import Executor

FILES = {"saved_model.pb": b"graph", "variables/data": b"weights", "assets.extra/x": b"x"}


@pytest.fixture
def model(tmp_path):
    artifact = standard_artifacts.Model()
    artifact.uri = str(tmp_path / "model")
    for name, content in FILES.items():
        path = tmp_path / "model" / "Format-Serving" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return artifact


def push(tmp_path, model, blessed=True, keep=3):
    blessing = standard_artifacts.ModelBlessing()
    blessing.uri = str(tmp_path / "blessing")
    blessing.set_int_custom_property("blessed", int(blessed))
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(tmp_path / "pushed")
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(tmp_path / "ranker"))
    )
    Executor().Do(
        {"model": [model], "model_blessing": [blessing]},
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
    assert content(tmp_path / "ranker" / version) == FILES == content(pushed.uri)
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == version
    assert pushed.get_string_custom_property("pushed_destination") == str(
        tmp_path / "ranker" / version
    )


def test_pushes_within_one_second_are_versions_of_their_own(tmp_path, model, monkeypatch):
    monkeypatch.setattr(pusher_executor.time, "time", lambda: 1000.5)
    for _ in range(4):
        pushed = push(tmp_path, model)
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
