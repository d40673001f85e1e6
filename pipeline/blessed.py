"""`blessed.json`: what the newest blessed run into an output folder made, for `sid push --run`."""

import os

from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.json_file import write_json

BLESSED = "blessed.json"


def read_blessed(run: str) -> Release:
    """What the newest blessed run into an output folder made.

    Raises:
        InputError: There is none, or its file is damaged.
    """
    path = os.path.join(run, BLESSED)
    try:
        return Release.read(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {run} holds no run that was blessed") from None


def write_blessed(run: str, release: Release) -> None:
    """Keeps it, in a file that appears whole.

    Args:
        run: The output folder.
        release: What the run made; its versions, which may change, are left out.
    """
    content = release.to_json()
    content.pop("versions", None)
    write_json(os.path.join(run, BLESSED), content)
