"""Scripts of the peers' environment; this module alone runs in ours, and calls the others."""

import json
import os
import subprocess
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_PYTHON = os.path.join(_HERE, "..", "..", ".venv-peers", "bin", "python")


def command(script: str, *arguments: object) -> list[str]:
    """The command line of a script of this folder, named without its ending."""
    return [_PYTHON, os.path.join(_HERE, f"{script}.py"), *map(str, arguments)]


def run(script: str, folder: str, requests: Any) -> Any:
    """Runs a script of this folder in the peers' environment.

    Args:
        script: Its name, without the ending.
        folder: Holds its arrays; what it writes goes there.
        requests: JSON that it reads as `requests.json`.

    Returns:
        The JSON that it wrote as `results.json`.
    """
    with open(os.path.join(folder, "requests.json"), "w", encoding="utf-8") as file:
        json.dump(requests, file)
    subprocess.run(command(script, folder), check=True)
    with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
        return json.load(file)
