"""Checks of an output folder, before anything slow is imported."""

import os
import sqlite3
import stat

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.destinations import PIPELINE_NAME

_PIPELINES = """
SELECT Context.name FROM Context JOIN Type ON Context.type_id = Type.id
WHERE Type.name = 'pipeline'
"""


def require_folder_name(output: str, option: str = "--output") -> None:
    """Refuses what cannot be a folder that is made or written into.

    Args:
        output: Path of the folder; it need not exist.
        option: The option that names it, for messages.

    Raises:
        InputError: The path is empty, or something else is there.
    """
    if not output:
        raise InputError(f"{option} '': is empty; name a folder")
    if os.path.lexists(output) and not os.path.isdir(output):
        raise InputError(f"{output}: is not a folder; {option} names a folder, or a new one")


def refuse_pipe(path: str) -> None:
    """Refuses a path at which a file would be awaited for ever.

    Args:
        path: What is to be read; it need not exist.

    Raises:
        InputError: A pipe, a socket or a device is there.
    """
    if os.path.exists(path):
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise InputError(f"{path}: is a pipe, a socket or a device; name a file")


def require_own_metadata(destinations: Destinations) -> None:
    """Refuses artifacts without the metadata that tells what they are.

    Without it TFX would count executions from 1 again, into folders that are taken.

    Args:
        destinations: Where a run is to write.

    Raises:
        InputError: The metadata is missing, or is no metadata of this pipeline.
    """
    path = destinations.metadata
    pipelines = _pipelines(path) if os.path.exists(path) else set()
    others = pipelines - {PIPELINE_NAME}
    if others:
        raise InputError(
            f"{path}: is the metadata of the pipeline {sorted(others)[0]!r}, and "
            f"{PIPELINE_NAME!r} is needed; name another folder"
        )
    holds_artifacts = os.path.isdir(destinations.root) and any(os.scandir(destinations.root))
    if holds_artifacts and not pipelines:
        state = "records no run" if os.path.exists(path) else "is missing"
        raise InputError(
            f"{path}: {state}, while {destinations.root} holds artifacts; put the file back, or "
            f"move {destinations.root} away, or name another folder"
        )


def _pipelines(path: str) -> set[str]:
    """Names of the pipelines that a metadata file knows; none of an empty file."""
    try:
        # Opened like this it is neither made nor changed.
        with open(path, "rb") as file:
            if not file.read(1):
                return set()
        connection = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)
        try:
            return {name for (name,) in connection.execute(_PIPELINES)}
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise InputError(
            f"{path}: is no ML Metadata ({error}); put the right file back, or name another folder"
        ) from error


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
