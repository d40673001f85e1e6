"""Output to the terminal: lines of our own, and escaped texts from the data."""

import contextlib
import logging
import os
import sys
import unicodedata
import warnings
from collections.abc import Iterator

import rich.text

#: Characters that change the direction of the text around them.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: Controls (escape sequences begin with one), halves of surrogate pairs, breaks of lines and
#: paragraphs.
_UNPRINTABLE = frozenset(("Cc", "Cs", "Zl", "Zp"))


def printable(text: str) -> str:
    r"""A text from the data, with what would steer a terminal written as an escape.

    Args:
        text: Such as a title or an id.

    Returns:
        One line: a control character stands as in a Python string, `\x1b`.
    """
    return "".join(
        character.encode("unicode_escape").decode()
        if character in _BIDI or unicodedata.category(character) in _UNPRINTABLE
        else character
        for character in text
    )


def cell(text: str) -> rich.text.Text:
    """A text from the data as a cell of a table, in which rich looks for no markup."""
    return rich.text.Text(printable(text))


@contextlib.contextmanager
def logged_to(path: str) -> Iterator[None]:
    """Sends the logs of TFX, Beam and TensorFlow, and all of standard error, to a file.

    TensorFlow's and SentencePiece's C++ code write to the file descriptor itself, so that is what
    is redirected, until the block ends.

    Args:
        path: The file; its folder is made if need be. What is there already stays.
    """
    from absl import logging as absl_logging

    os.makedirs(os.path.dirname(path), exist_ok=True)
    warnings.filterwarnings("ignore")
    # Not a FileHandler, whose stream may be none.
    stream = open(path, "a", encoding="utf-8")  # noqa: SIM115  closed below, where it may fail
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    root, absl = logging.getLogger(), absl_logging.get_absl_logger()
    before = root.handlers[:], root.level, absl.handlers[:], absl.propagate
    root.handlers, absl.handlers, absl.propagate = [handler], [], True
    root.setLevel(logging.INFO)
    absl_logging.set_verbosity(absl_logging.INFO)
    sys.stderr.flush()
    terminal, stderr = os.dup(2), sys.stderr
    os.dup2(stream.fileno(), 2)
    # Of its own: what a full disk does not take would stay in it, and reach the terminal later.
    sys.stderr = stream
    try:
        yield
    finally:
        sys.stderr = stderr
        os.dup2(terminal, 2)
        os.close(terminal)
        root.handlers, root.level, absl.handlers, absl.propagate = before
        with contextlib.suppress(OSError):
            stream.close()


def silence_exit() -> None:
    """Drops what TensorFlow writes to standard error while the interpreter shuts down."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
