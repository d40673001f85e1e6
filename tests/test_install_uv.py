"""Installation of uv by requirements/uv.sh."""

import pytest

from tests.install_machine import Machine
from tests.install_machine import PYTHON
from tests.install_machine import SHIM
from tests.install_machine import UV


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
