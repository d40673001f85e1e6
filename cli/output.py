"""Output of a command: text for people, or its result as JSON."""

import json
import os
from collections.abc import Mapping
from typing import Annotated
from typing import Any

import rich.console
import typer

AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Prints the result as JSON on standard output, and everything else on standard error.",
    ),
]


class Output:
    """Streams of one command.

    Args:
        as_json: Whether the result is JSON, alone on standard output.

    Attributes:
        console: Takes progress and text for people: standard output, or standard error with JSON.

    Example:
        ```python
        output = Output(as_json=True)
        output.console.print("working")  # standard error
        output.result({"items": 3})  # standard output
        ```
    """

    def __init__(self, as_json: bool):
        self._as_json = as_json
        if not as_json:
            self.console = rich.console.Console()
            return
        # A descriptor of its own: a run sends descriptor 2, TensorFlow's log, to a file meanwhile.
        stream = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
        self.console = rich.console.Console(file=stream)

    def result(self, value: Mapping[str, Any]) -> None:
        """Prints the result where JSON was asked for.

        Args:
            value: Of JSON's types.
        """
        if self._as_json:
            print(json.dumps(value, indent=2), flush=True)
