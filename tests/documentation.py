"""Code blocks of READMEs, CONTRIBUTING and the documentation, and the commands in them."""

import dataclasses
import pathlib
import re
import shlex
from collections.abc import Iterator

from tests import ROOT

#: What a command may need that a test does not have, as an HTML comment before its block names it.
NEEDS = frozenset(
    {"an hour", "cluster", "data", "docker", "gpu", "minutes", "network", "redis", "root"}
)

_FENCE = re.compile(r"^```(\S*)$")
_NEEDS = re.compile(r"^<!-- needs: (.+) -->$")
_ASSIGNMENT = re.compile(r"^[A-Z_]+=")


def documents() -> list[pathlib.Path]:
    """The files."""
    pages = [p for folder in ("docs", "examples") for p in sorted((ROOT / folder).rglob("*.md"))]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *pages]


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        where: Its file and line.
        language: What stands behind its fence.
        text: Its lines.
        needs: What the comment before it says that it needs.
    """

    where: str
    language: str
    text: str
    needs: frozenset[str] = frozenset()

    def commands(self) -> list[list[str]]:
        """Words of each command of a shell block, without assignments and redirections."""
        found = []
        for line in self.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words and _ASSIGNMENT.match(words[0]):
                del words[0]
            if ">" in words:
                del words[words.index(">") :]
            if words:
                found.append(words)
        return found


def blocks(text: str, name: str = "") -> Iterator[Block]:
    """Blocks of one file, in their order."""
    before, opened, lines, line_number = "", None, [], 0
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, lines, line_number = fence[1], [], number
        elif opened is not None and line == "```":
            needs = _NEEDS.match(before)
            yield Block(
                f"{name}:{line_number}",
                opened,
                "\n".join(lines),
                frozenset(needs[1].split(", ")) if needs else frozenset(),
            )
            before, opened = "", None
        elif opened is not None:
            lines.append(line)
        elif line.strip():
            before = line
    assert opened is None, f"{name}:{line_number}: the block has no end"


def all_blocks() -> list[Block]:
    """Blocks of all documents."""
    return [
        block
        for path in documents()
        for block in blocks(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]


def inline_commands(program: str) -> Iterator[tuple[str, list[str]]]:
    """Commands within sentences, such as `sid store URL`: the file, and their words."""
    for path in documents():
        text = re.sub(r"(?ms)^```.*?^```$", "", path.read_text(encoding="utf-8"))
        for code in re.findall(rf"`({program} [^`]+)`", text):
            yield str(path.relative_to(ROOT)), shlex.split(" ".join(code.split()))
