"""Contents of a component's cache key: all first-party code that it imports."""

import json
import subprocess
import sys

import pytest

from semantic_id_ranking.components import code_version as code_version_module
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.code_version import imported_modules

OURS = "semantic_id_ranking."
EXECUTORS = [
    "components.anomaly_gate.check.check_anomalies",
    "components.feature_joiner.executor.Executor",
    "components.impression_gen.executor.Executor",
    "components.item_gen.executor.Executor",
    "components.releaser.executor.Executor",
    "components.schema_gen.executor.Executor",
    "components.semantic_id_gen.executor.Executor",
    "components.sid_analyzer.executor.Executor",
    "components.sid_tokenizer_trainer.executor.Executor",
    "trainer.ranker.preprocessing.preprocessing_fn",
    "trainer.ranker.run_fn.run_fn",
    "trainer.rqvae.run_fn.run_fn",
]
#: Imports each name's module in turn and prints which of ours came with it, and from which file.
IMPORT = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    module = name.rpartition(".")[0]
    for key in [key for key in sys.modules if key.startswith("semantic_id_ranking")]:
        del sys.modules[key]
    importlib.import_module(module)
    found[name] = {
        key: value.__file__
        for key, value in sys.modules.items()
        if key.partition(".")[0] == "semantic_id_ranking"
    }
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def imported():
    """Of each executor, what Python itself imports for it: name -> {module: file}."""
    names = [OURS + name for name in EXECUTORS]
    command = [sys.executable, "-W", "ignore", "-c", IMPORT, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_is_hashed_is_what_is_imported(imported, name):
    hashed = imported_modules(OURS + name)
    loaded = imported[OURS + name]
    assert set(loaded) <= set(hashed)
    assert all(str(hashed[module]) == path for module, path in loaded.items())
    # The rest is imported within functions, where the source says so.
    text = "".join(path.read_text() for path in hashed.values())
    for module in set(hashed) - set(loaded):
        package, _, leaf = module.rpartition(".")
        inside = any(other.startswith(f"{module}.") for other in hashed)
        assert module in text or f"from {package} import {leaf}" in text or inside, module


@pytest.fixture
def package(tmp_path, monkeypatch, request):
    """A package of its own name, `work` of which imports `near`, and within a function `late`."""
    name = f"package_{abs(hash(request.node.name))}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "near.py").write_text("A = 1\n")
    (folder / "late.py").write_text("from semantic_id_ranking.contracts import errors\n")
    (folder / "other.py").write_text("C = 1\n")
    (folder / "work.py").write_text(
        f"import os\nfrom {name}.near import A\n\n\ndef run():\n    from .late import errors\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_imports_are_followed_into_functions_and_into_this_package(package):
    assert set(imported_modules(f"{package.name}.work.run")) == {
        package.name,
        f"{package.name}.work",
        f"{package.name}.near",
        f"{package.name}.late",
        "semantic_id_ranking",
        "semantic_id_ranking.contracts",
        "semantic_id_ranking.contracts.errors",
    }


@pytest.mark.parametrize(("file", "counts"), [("near", True), ("late", True), ("other", False)])
def test_changes_with_the_code_that_is_imported_alone(package, file, counts):
    before = code_version(f"{package.name}.work.run")
    (package / f"{file}.py").write_text("B = 2\n")
    assert (code_version(f"{package.name}.work.run") != before) is counts


def test_a_folder_without_an_init_file_is_a_package_too(package):
    before = code_version(f"{package.name}.work.run")
    (package / "__init__.py").unlink()
    code_version_module._file.cache_clear()
    assert f"{package.name}.near" in imported_modules(f"{package.name}.work.run")
    without = code_version(f"{package.name}.work.run")
    (package / "near.py").write_text("B = 2\n")
    assert len({before, without, code_version(f"{package.name}.work.run")}) == 3


def test_a_class_stands_for_the_name_it_has():
    assert code_version(json.JSONDecoder) == code_version("json.decoder.JSONDecoder")


def test_an_unknown_module_is_named():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        code_version("no_such_module.run_fn")
