"""The script that compares imports with declared dependencies."""

import pathlib
import shutil
import subprocess
import sys

import pytest

from tests import FOLDERS
from tests import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    checkout = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__", "out")
    for folder in (*FOLDERS, "benchmarks", "requirements", "semantic_id_ranking", "tests"):
        shutil.copytree(ROOT / folder, checkout / folder, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", checkout)
    (checkout / ".venv").symlink_to(sys.prefix)
    return checkout


def compare(checkout: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [checkout / "requirements" / "imports.sh"], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("path", "module", "complaint"),
    [
        ("trainer/planted.py", "torch", "DEP001"),
        ("serving/planted.py", "hypothesis", "DEP004"),
        ("tests/planted.py", "torch", "DEP001"),
        ("benchmarks/peers/planted.py", "jax", "DEP001"),
    ],
    ids=["package", "package, of development only", "tests", "peers"],
)
def test_an_import_that_is_not_declared_is_named(checkout, path, module, complaint):
    planted = checkout / path
    planted.write_text(f"import {module}\n")
    compared = compare(checkout)
    planted.unlink()
    assert compared.returncode == 1
    assert f"{path}:1:8: {complaint} '{module}'" in compared.stderr
