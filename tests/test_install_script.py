"""What requirements/install.sh chooses, with stand-ins for uv, ldd and Python on the PATH."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ["python3.10.txt", "python3.11.txt", "python3.12.txt", "python3.13.txt"]
TOOLS = [
    "sh",
    "basename",
    "cat",
    "chmod",
    "cp",
    "dirname",
    "expand",
    "make",
    "mkdir",
    "rm",
    "sed",
    "touch",
]

# "Installed" and "fetchable" Pythons are files in a folder; every call is logged.
UV = """#!/bin/sh
echo "$*" >> "$STATE/log"
case "$1 $2" in
"--version "*) ;;
"python find")
    version=${5#cpython@}
    if [ -e "$STATE/shim$version" ] && [ "$PYENV_VERSION" != "$(cat "$STATE/shim$version")" ]; then
        exit 2
    fi
    [ -e "$STATE/python$version" ] && echo "/opt/python$version" ;;
"python install")
    [ -e "$STATE/fetchable$3" ] && touch "$STATE/python$3" ;;
"venv --quiet")
    mkdir -p "$5/bin"
    printf '#!/bin/sh\\necho "%s"\\n' "${4#/opt/python}" > "$5/bin/python"
    chmod +x "$5/bin/python" ;;
"pip sync")
    [ ! -e "$STATE/broken" ] ;;
esac
"""

# A Python with venv and pip, as far as no file says otherwise. "Fetching" uv copies the stand-in.
PYTHON = """#!/bin/sh
echo "python $*" >> "$STATE/log"
fetch() {
    [ ! -e "$STATE/offline" ] || exit 1
    mkdir -p "$1/bin"
    cp "$STATE/uv" "$1/bin/uv"
}
case "$*" in
"-c "*) ;;
"-m venv "*)
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    [ ! -e "$STATE/no-ensurepip" ] ;;
"-m pip --version") [ ! -e "$STATE/no-pip" ] ;;
"-m pip install --quiet --retries 1 uv")
    [ ! -e "$STATE/no-ensurepip" ] && fetch "$(dirname "$(dirname "$0")")" ;;
"-m pip install --quiet --retries 1 --target "*) fetch "$8" ;;
*) exit 1 ;;
esac
"""
SHIM = """#!/bin/sh
echo "pyenv: $(basename "$0"): command not found" >&2
exit 127
"""


class Machine:
    """A machine that has what the test says, and a fresh clone on it."""

    def __init__(self, folder: Path):
        self.clone = folder / "clone"
        self.state = folder / "state"
        self.bin = folder / "bin"
        self.home = folder / "home"
        for path in (self.clone, self.state, self.bin, self.home):
            path.mkdir()
        shutil.copytree(ROOT / "requirements", self.clone / "requirements")
        for name in ("Makefile", "setup.py"):
            shutil.copy(ROOT / name, self.clone / name)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.glibc("2.36")

    def program(self, name: str, text: str, folder: Path | None = None) -> None:
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def glibc(self, version: str) -> None:
        self.program(
            "ldd", f'#!/bin/sh\necho "ldd (Debian GLIBC {version}-9) {version}"\necho Copyright\n'
        )

    def run(self, *command: str) -> subprocess.CompletedProcess:
        places = {"PATH": self.bin, "HOME": self.home, "STATE": self.state}
        environment = {name: str(path) for name, path in places.items()} | {
            "PYENV_VERSION": "3.7.1"
        }
        return subprocess.run(
            command, cwd=self.clone, env=environment, capture_output=True, text=True, timeout=60
        )

    def install(self) -> subprocess.CompletedProcess:
        return self.run("requirements/install.sh")

    @property
    def log(self) -> str:
        path = self.state / "log"
        return path.read_text() if path.exists() else ""

    @property
    def installed_locks(self) -> list[str]:
        return [name for name in LOCKS if f"requirements/{name}" in self.log]

    @property
    def stamp(self) -> Path:
        return self.clone / ".venv" / ".installed"


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
    for name in ("setup.py", "requirements/python3.10.txt"):
        stamp = machine.stamp.stat().st_mtime
        os.utime(machine.clone / name, (stamp + 10, stamp + 10))
        assert machine.run(*question).returncode == 1
        os.utime(machine.clone / name, (stamp - 10, stamp - 10))
        assert machine.run(*question).returncode == 0


def test_make_lists_its_targets(machine):
    listed = [line.split()[1] for line in machine.run("make").stdout.splitlines()]
    assert listed[:5] == ["help", "demo", "test", "lint", "format"]
    assert {"bench-rqvae", "bench-encode", "bench-stability", "paper", "clean"} < set(listed)


@pytest.fixture
def without_uv(tmp_path):
    """A machine whose pip could fetch uv."""
    machine = Machine(tmp_path)
    machine.program("uv", UV, machine.state)
    return machine


@pytest.mark.parametrize("lacking", [[], ["no-ensurepip"], ["no-pip"]])
def test_uv_is_fetched_by_whatever_pip_there_is(without_uv, lacking):
    for name in lacking:
        (without_uv.state / name).touch()
    (without_uv.state / "python3.10").touch()
    without_uv.program("python3", PYTHON)
    result = without_uv.install()
    assert result.returncode == 0, result.stderr
    assert without_uv.installed_locks == ["python3.10.txt"]
    assert (without_uv.clone / ".venv-uv" / ".gitignore").read_text() == "*\n"
    fetches = without_uv.log.count("pip install")
    assert without_uv.install().returncode == 0
    assert without_uv.log.count("pip install") == fetches + 1, "only this project, not uv, again"


def test_uv_is_fetched_by_a_python_of_pyenv_where_its_shims_fail(without_uv):
    for name in ("uv", "python3", "python3.10"):
        without_uv.program(name, SHIM)
    without_uv.program("python", PYTHON, without_uv.home / ".pyenv/versions/3.10.13/bin")
    assert without_uv.run("requirements/uv.sh").stdout == f"{without_uv.clone}/.venv-uv/bin/uv\n"


@pytest.mark.parametrize("lacking", [["offline"], ["no-ensurepip", "no-pip"]])
def test_one_sentence_tells_that_uv_is_missing(without_uv, lacking):
    for name in lacking:
        (without_uv.state / name).touch()
    without_uv.program("python3", PYTHON)
    result = without_uv.install()
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("uv is missing")
    assert not (without_uv.clone / ".venv-uv").exists()
