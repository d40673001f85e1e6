"""Words that no name has, and module docstrings that are noun phrases."""

import ast
import pathlib
import re

import pytest

from tests import FOLDERS
from tests import ROOT

# A position, level, path or index; an impression count; to tokenize or to split; a folder.
AVOIDED = re.compile(r"places?|shown|cuts?|bought|met|rooms?|ways?|whom")
QUESTION = re.compile(r"(How|What|When|Where|Whether|Which|Who|Whose|Why)\b")
MODULES = sorted(
    path
    for folder in (*FOLDERS, "benchmarks", "examples", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
MODULES += [ROOT / "setup.py", *(ROOT / "semantic_id_ranking").glob("*.py")]


def words(name):
    """The words of a name, `_max_NoSid2` being max, no and sid."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def names(tree):
    """Definitions, names and arguments in a module, and its strings that may be keys."""
    for node in ast.walk(tree):
        for field in ("name", "arg", "id", "attr", "value"):
            value = getattr(node, field, None)
            if isinstance(value, str) and value.isidentifier():
                yield value


def test_names_are_divided_into_words():
    assert " ".join(words("_placeOf SHOWN_Items2 replaced cutoff")) == (
        "place of shown items replaced cutoff"
    )
    tree = ast.parse("class A:\n  def b(self, c=1): self.d = {'e': 'f g'}\nh(i=2)")
    assert {*names(tree)} == {"A", "b", "self", "c", "d", "e", "h", "i"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_words(path: pathlib.Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    avoided = {
        name for name in (path.stem, *names(tree)) if any(map(AVOIDED.fullmatch, words(name)))
    }
    assert not avoided, "the comment on AVOIDED has the words to use"
    docstring = ast.get_docstring(tree) or ""
    assert not QUESTION.match(docstring), "a noun phrase says what is in a module"
