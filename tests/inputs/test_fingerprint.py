"""Fingerprints of files, which depend on content alone."""

import json
import os
import time

import pyarrow as pa
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import fingerprint
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from tests.inputs.parquet_files import impressions
from tests.inputs.parquet_files import write


@pytest.fixture(autouse=True)
def no_memory_of_this_process(monkeypatch):
    monkeypatch.setattr(fingerprint, "_KNOWN", {})


@pytest.fixture
def reads(monkeypatch):
    """The files that were read."""
    read = []
    blake2 = fingerprint._blake2
    monkeypatch.setattr(fingerprint, "_blake2", lambda path: read.append(path) or blake2(path))
    return read


def age(path, seconds=3600):
    """Makes a file look as old as that."""
    then = time.time_ns() - seconds * 10**9
    os.utime(path, ns=(then, then))
    return then


def record(path, memory=None):
    return Fingerprints(memory and str(memory)).record(DataSet.open(str(path)))


def test_labels_inverted_in_a_file_of_the_same_size_and_second(tmp_path):
    path = write(impressions(), tmp_path / "log.parquet")
    then = age(path)
    memory = tmp_path / "memory.json"
    first, size = record(path, memory), os.path.getsize(path)
    write(impressions(click=pa.array([1, 0] * 5, pa.int8())), path)
    os.utime(path, ns=(then, then + 1))
    assert os.path.getsize(path) == size
    assert record(path, memory) != first


def test_another_file_of_the_same_size_and_time(tmp_path):
    path = write(impressions(), tmp_path / "log.parquet")
    then = age(path)
    memory = tmp_path / "memory.json"
    first = record(path, memory)
    other = write(impressions(click=pa.array([1, 0] * 5, pa.int8())), tmp_path / "other")
    os.utime(other, ns=(then, then))
    os.replace(other, path)
    assert record(path, memory) != first


def test_the_same_content_written_again_is_the_same(tmp_path):
    path = write(impressions(), tmp_path / "log.parquet")
    first = record(path)
    write(impressions(), path)
    assert record(path) == first


def test_files_are_read_once(tmp_path, reads):
    memory = tmp_path / "memory.json"
    paths = [write(impressions(), tmp_path / "log" / f"{name}.parquet") for name in "ab"]
    for path in paths:
        age(path)
    first = record(tmp_path / "log", memory)
    assert reads == paths
    fingerprint._KNOWN.clear()
    assert record(tmp_path / "log", memory) == first
    assert reads == paths
    age(paths[0], 1800)
    record(tmp_path / "log", memory)
    assert reads == [*paths, paths[0]]


def test_a_file_that_was_just_written_is_not_remembered(tmp_path, reads):
    path = write(impressions(), tmp_path / "log.parquet")
    record(path, tmp_path / "memory.json")
    record(path, tmp_path / "memory.json")
    assert reads == [path, path]


def test_a_damaged_memory_is_done_without(tmp_path, reads):
    path = write(impressions(), tmp_path / "log.parquet")
    age(path)
    memory = tmp_path / "memory.json"
    first = record(path, memory)
    memory.write_text('{"half', encoding="utf-8")
    fingerprint._KNOWN.clear()
    assert record(path, memory) == first
    assert len(reads) == 2
    assert list(json.loads(memory.read_text(encoding="utf-8")))


def test_a_recorded_data_set_is_what_it_was_or_refused(tmp_path):
    folder = tmp_path / "day=1"
    path = write(impressions(), folder / "log.parquet")
    data = DataSet.open(str(folder))
    recorded = json.loads(json.dumps(record(folder)))
    assert Fingerprints().open_recorded(recorded) == data
    write(impressions().slice(1), path)
    with pytest.raises(InputError, match=r"log\.parquet: has changed since the run began"):
        Fingerprints().open_recorded(recorded)
