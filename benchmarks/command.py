"""Common parts of the benchmarks' command lines."""

import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

# Before any import of TensorFlow: its C++ log would bury what we print.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")

import typer  # noqa: E402

from semantic_id_ranking.contracts.errors import InputError  # noqa: E402


def run(function: Callable[..., None]) -> None:
    """Runs a function whose parameters are the command's options; bad input exits with status 2."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(function)
    try:
        app()
    except InputError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def write_json(path: str, content: Any) -> None:
    """Writes a report, and the folder it goes to, and says where it is."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    print(f"wrote {path}")


def update_json(path: str, content: dict[str, Any]) -> None:
    """Writes some keys of a report and keeps the others that it has."""
    before = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            before = json.load(file)
    write_json(path, before | content)
