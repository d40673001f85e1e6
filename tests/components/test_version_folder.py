"""Versions of a model that appear whole, are kept by count and are moved aside."""

import os
import threading

import pytest

from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.sid_space import SidSpace


@pytest.fixture
def folder(tmp_path):
    return VersionFolder(str(tmp_path / "ranker"))


def push(folder, version, files=("saved_model.pb",)):
    with folder.staging() as staging:
        for name in files:
            path = os.path.join(staging, "copy", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(str(version))
        number = folder.next_version(version)
        os.rename(os.path.join(staging, "copy"), folder.version_path(number))
        return number


def set_aside(folder, version):
    os.makedirs(os.path.join(folder.path, ".rolled_back"), exist_ok=True)
    os.rename(folder.version_path(version), folder.aside_path(version))


def keep(folder, count, pushed, needed=()):
    folder.delete(folder.surplus(count, pushed, needed))


def test_there_are_no_versions_where_there_is_no_folder(folder):
    assert folder.versions() == []


def test_only_folders_named_by_a_number_are_versions(folder):
    for name in ("10", "9", "x1", ".rolled_back/11", ".pushing-1/12", "1.5"):
        os.makedirs(os.path.join(folder.path, name))
    with open(os.path.join(folder.path, "13"), "w", encoding="utf-8"):
        pass
    assert folder.versions() == [9, 10]


def test_a_new_version_is_the_newest_whatever_the_clock_says(folder):
    assert push(folder, 100) == 100
    assert push(folder, 7) == 101
    set_aside(folder, 101)
    # A number that was rolled back does not come again.
    assert push(folder, 7) == 102
    assert folder.versions() == [100, 102]


def test_what_a_push_leaves_is_its_version_alone(folder):
    push(folder, 1)
    with pytest.raises(RuntimeError), folder.staging() as staging:
        os.makedirs(os.path.join(staging, "copy"))
        raise RuntimeError
    assert os.listdir(folder.path) == ["1"]


def test_what_a_killed_push_left_is_removed(folder):
    folder.remove_staging()
    os.makedirs(os.path.join(folder.path, ".pushing-old", "5"))
    push(folder, 1)
    folder.remove_staging()
    assert os.listdir(folder.path) == ["1"]


def test_the_newest_versions_are_kept(folder):
    for version in (1, 2, 3, 4):
        push(folder, version)
    keep(folder, 3, 4)
    assert folder.versions() == [2, 3, 4]
    keep(folder, 3, 4)
    assert folder.versions() == [2, 3, 4]


def test_the_pushed_version_and_newer_ones_are_never_deleted(folder):
    for version in (1, 2, 3, 4):
        push(folder, version)
    keep(folder, 1, 2)
    assert folder.versions() == [2, 3, 4]


def test_a_version_whose_space_is_needed_is_never_deleted(folder):
    for version, space in ((1, "a"), (2, "b"), (3, "c"), (4, "c")):
        push(folder, version)
        SidSpace(space * 16, 3, 16, 4).save(
            os.path.join(folder.version_path(version), "assets.extra")
        )
    keep(folder, 1, 4, {"b" * 16})
    assert folder.versions() == [2, 4]


def test_the_spaces_are_those_of_all_versions_also_of_those_set_aside(folder):
    assert folder.spaces() == set()
    for version, space in ((1, "a"), (2, "b")):
        push(folder, version)
        SidSpace(space * 16, 3, 16, 4).save(
            os.path.join(folder.version_path(version), "assets.extra")
        )
    push(folder, 3)
    set_aside(folder, 2)
    assert folder.spaces() == {"a" * 16, "b" * 16}


def test_the_fingerprint_is_the_one_exported(folder):
    push(folder, 1)
    assert folder.fingerprint(1) is None
    SidSpace("a" * 16, 3, 16, 4).save(os.path.join(folder.version_path(1), "assets.extra"))
    assert folder.fingerprint(1) == "a" * 16


def test_a_reader_never_sees_half_a_version(folder):
    files = {f"variables/{number}" for number in range(20)} | {"saved_model.pb"}
    stop, halves, whole = threading.Event(), [], []

    def read():
        while not stop.is_set():
            for version in folder.versions():
                path = folder.version_path(version)
                try:
                    found = {
                        os.path.relpath(os.path.join(root, name), path)
                        for root, _, names in os.walk(path, onerror=_raise)
                        for name in names
                    }
                except FileNotFoundError:
                    continue  # It was deleted meanwhile.
                # One that was deleted meanwhile may have been read in part.
                if found == files:
                    whole.append(version)
                elif version in folder.versions():
                    halves.append((version, found))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in range(1, 60):
            push(folder, version, sorted(files))
            keep(folder, 2, version)
    finally:
        stop.set()
        reader.join()
    assert halves == []
    assert whole


def _raise(error):
    raise error
