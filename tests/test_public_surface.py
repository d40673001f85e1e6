"""The names of `semantic_id_ranking`: import cost, origin and missing extras."""

import ast
import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest

import semantic_id_ranking
from tests import ROOT

LIGHT = """
import sys
import semantic_id_ranking
assert dir(semantic_id_ranking) and semantic_id_ranking.__all__
heavy = {"numpy", "tensorflow", "keras", "tf_keras", "pandas", "pyarrow", "pydantic", "grpc"}
print(sorted(heavy.intersection(sys.modules)))
"""


def in_process(source: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", source], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_import_alone_brings_nothing_heavy():
    assert in_process(LIGHT) == "[]"


@pytest.mark.parametrize(
    "name", ["Config", "RqVaeConfig", "SidHybrid", "SidTokenizer", "load_config", "open_store"]
)
def test_what_needs_no_tensorflow_imports_none(name):
    source = (
        f"import sys; from semantic_id_ranking import {name}; print('tensorflow' in sys.modules)"
    )
    assert in_process(source) == "False"


@pytest.mark.parametrize("name", semantic_id_ranking.__all__)
def test_every_name_is_there_and_documented(name):
    found = getattr(semantic_id_ranking, name)
    assert found.__name__ == name
    assert found.__doc__
    assert getattr(semantic_id_ranking, name) is found


def test_type_checkers_see_the_same_names():
    tree = ast.parse((ROOT / "semantic_id_ranking" / "__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: node.module.removeprefix("semantic_id_ranking.")
        for node in block.body
        for alias in node.names
    }
    assert seen == semantic_id_ranking._MODULES
    assert set(seen) == set(semantic_id_ranking.__all__) <= set(dir(semantic_id_ranking))


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'SemanticIDs'"):
        _ = semantic_id_ranking.SemanticIDs


def test_a_missing_extra_is_named(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError("No module named 'sentencepiece'", name="sentencepiece")

    extras = importlib.import_module("semantic_id_ranking.cli.extras")
    modules = {"semantic_id_ranking.cli.extras": extras}
    monkeypatch.delitem(vars(semantic_id_ranking), "SidTokenizer", raising=False)
    monkeypatch.setattr(importlib, "import_module", lambda name: modules.get(name) or absent(name))
    monkeypatch.setattr(extras, "missing_extra", lambda: "pipeline")
    with pytest.raises(ImportError) as refused:
        _ = semantic_id_ranking.SidTokenizer
    assert str(refused.value) == (
        "SidTokenizer needs the module sentencepiece, which the extra pipeline brings: "
        "pip install 'semantic-id-ranking[pipeline]'"
    )


def modules() -> set[str]:
    """Those that define what is public, and with it whatever else they hold."""
    return {getattr(semantic_id_ranking, name).__module__ for name in semantic_id_ranking.__all__}


@pytest.mark.parametrize(
    "name",
    sorted(modules() | {"semantic_id_ranking", "semantic_id_ranking.contracts.one_sentence"}),
)
def test_the_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    names = {**vars(module), "np": np}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder().find(module, globs=names):
        assert runner.run(test).failed == 0, test.name


def test_the_parts_have_examples_that_run():
    for name in ("SemanticIds", "SidTokenizer", "ItemEmbedding"):
        assert doctest.DocTestFinder().find(getattr(semantic_id_ranking, name))[0].examples, name
