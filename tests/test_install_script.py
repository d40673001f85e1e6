"""Choices of requirements/install.sh, and the conditions under which make calls it."""

import os

import pytest

from tests.install_machine import Machine
from tests.install_machine import UV


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    machine.program("uv", UV)
    return machine


@pytest.mark.parametrize("glibc", ["2.36", "2.39"])
def test_python_3_10_is_preferred(machine, glibc):
    (machine.state / "python3.10").touch()
    (machine.state / "python3.13").touch()
    machine.glibc(glibc)
    result = machine.install()
    assert result.returncode == 0, result.stderr
    assert machine.installed_locks == ["python3.10.txt"]
    assert machine.stamp.exists()
    steps = [line.rsplit(" ", 1)[-1] for line in machine.log.splitlines()[-3:]]
    assert steps == [".venv", "requirements/python3.10.txt", "."]


@pytest.mark.parametrize("glibc", ["2.39", "2.41", "2.100", "3.0"])
def test_a_new_glibc_takes_the_newest_other_python(machine, glibc):
    (machine.state / "python3.11").touch()
    (machine.state / "python3.12").touch()
    (machine.state / "fetchable3.10").touch()
    machine.glibc(glibc)
    assert machine.install().returncode == 0
    assert machine.installed_locks == ["python3.12.txt"]
    assert "python install" not in machine.log


@pytest.mark.parametrize("glibc", ["2.36", "2.38", "2.4", "2.5"])
def test_an_old_glibc_without_python_3_10_is_told_in_one_sentence(machine, glibc):
    (machine.state / "python3.12").touch()
    machine.glibc(glibc)
    result = machine.install()
    assert result.returncode == 2
    assert result.stderr == (
        "Python 3.10 is missing and could not be fetched (3.11 to 3.13 would need glibc 2.39 or "
        f"newer, this machine has {glibc}): install Python 3.10.\n"
    )
    assert not (machine.clone / ".venv").exists()


def test_a_machine_without_glibc_is_told(machine):
    machine.program("ldd", "#!/bin/sh\necho 'musl libc (x86_64)' >&2\nexit 1\n")
    assert "this machine has none" in machine.install().stderr


def test_a_new_glibc_without_any_python_is_told_in_one_sentence(machine):
    machine.glibc("2.39")
    result = machine.install()
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "install Python 3.10, 3.11, 3.12 or 3.13" in result.stderr


@pytest.mark.parametrize(("fetchable", "glibc"), [("3.10", "2.36"), ("3.12", "2.39")])
def test_python_is_fetched_where_none_is_there(machine, fetchable, glibc):
    (machine.state / f"fetchable{fetchable}").touch()
    machine.glibc(glibc)
    assert machine.install().returncode == 0
    assert machine.installed_locks == [f"python{fetchable}.txt"]


@pytest.mark.parametrize("selected", ["3.10.13", "system"])
def test_python_3_10_is_found_behind_a_pyenv_shim(machine, selected):
    """The shim works with one selection only: pyenv's own 3.10, or the system's."""
    (machine.state / "python3.10").touch()
    (machine.state / "shim3.10").write_text(selected)
    machine.program("python", "", machine.home / ".pyenv/versions/3.10.13/bin")
    machine.program("python", "", machine.home / ".pyenv/versions/3.1.4/bin")
    assert machine.install().returncode == 0
    assert machine.installed_locks == ["python3.10.txt"]


def test_a_failed_installation_leaves_no_stamp(machine):
    (machine.state / "python3.10").touch()
    assert machine.install().returncode == 0
    (machine.state / "broken").touch()
    assert machine.install().returncode != 0
    assert not machine.stamp.exists()
    (machine.state / "broken").unlink()
    assert machine.install().returncode == 0
    assert machine.stamp.exists()


def test_a_failed_build_names_what_it_lacks(machine):
    """The stand-in of Python answers every question with its version, so headers are in `3.10/`."""
    (machine.state / "python3.10").touch()
    (machine.state / "broken").touch()
    result = machine.install()
    assert (result.returncode, "headers of Python 3.10" in result.stderr) == (2, True)
    machine.program("Python.h", "", machine.clone / "3.10")
    result = machine.install()
    assert (result.returncode, "C++ compiler" in result.stderr) == (2, True)
    machine.program("c++", "")
    result = machine.install()
    assert (result.returncode, result.stderr) == (1, "")


def test_an_environment_of_another_python_is_made_anew(machine):
    (machine.state / "python3.12").touch()
    machine.glibc("2.39")
    machine.install()
    kept = machine.clone / ".venv" / "kept"
    kept.touch()
    machine.install()
    assert kept.exists()
    (machine.state / "python3.10").touch()
    assert machine.install().returncode == 0
    assert not kept.exists()


def test_make_installs_again_only_after_a_change(machine):
    (machine.state / "python3.10").touch()
    question = ("make", "--question", ".venv/.installed")
    assert machine.run(*question).returncode == 1
    assert machine.run("make", ".venv/.installed").returncode == 0
    assert machine.run(*question).returncode == 0
    for name in ("pyproject.toml", "requirements/python3.10.txt"):
        stamp = machine.stamp.stat().st_mtime
        os.utime(machine.clone / name, (stamp + 10, stamp + 10))
        assert machine.run(*question).returncode == 1
        os.utime(machine.clone / name, (stamp - 10, stamp - 10))
        assert machine.run(*question).returncode == 0


def test_make_lists_its_targets(machine):
    listed = [line.split()[1] for line in machine.run("make").stdout.splitlines()]
    first = ["help", "demo", "test", "test-lane-b", "test-wheel", "test-notebook", "test-pytorch"]
    assert listed[: len(first)] == first
    assert {"bench-rqvae", "bench-encode", "bench-stability", "paper", "clean"} < set(listed)
