"""JSON files that appear whole."""

import json
import os
from typing import Any


def write_json(path: str, content: Any) -> None:
    """Writes a file that a reader, or a crash, never finds half written.

    Args:
        path: A local file; what it held before is replaced.
        content: Of JSON's types.
    """
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    os.replace(temporary, path)
