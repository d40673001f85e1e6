"""The direction of imports between folders, and the absence of circles."""

import graphlib

import pytest

from semantic_id_ranking.components.code_version import direct_imports
from tests import FOLDERS
from tests import ROOT

#: Each folder of the package, and those that it may import.
MAY_IMPORT = {
    "contracts": set(),
    "serving": {"contracts"},
    "trainer": {"contracts"},
    "inputs": {"contracts"},
    "evaluation": {"contracts"},
    "simulation": {"contracts"},
    "encoding": {"contracts", "inputs", "trainer"},
    # Serving's store, which a release fills.
    "components": {"contracts", "inputs", "trainer", "encoding", "evaluation", "serving"},
    "pipeline": {
        "contracts",
        "inputs",
        "trainer",
        "encoding",
        "evaluation",
        "serving",
        "components",
    },
    "cli": FOLDERS,
}


@pytest.fixture(scope="module")
def graph():
    """Dotted name of each module -> those of this package that it imports, functions included."""
    names = [
        ".".join(("semantic_id_ranking", *path.relative_to(ROOT).with_suffix("").parts))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    ]
    return {
        name.removesuffix(".__init__"): direct_imports(name.removesuffix(".__init__"))
        for name in names
    }


def test_every_folder_has_a_rule():
    assert set(MAY_IMPORT) == FOLDERS


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_no_import_goes_up(graph, folder):
    for name, imports in graph.items():
        if name.split(".")[1] == folder:
            # All may use the private names of libraries, which are in one module of their own.
            others = {other.split(".")[1] for other in imports if "." in other}
            others -= {folder, "_compat"}
            assert others <= MAY_IMPORT[folder], (name, others)


def test_there_is_no_circle(graph):
    tuple(graphlib.TopologicalSorter(graph).static_order())
