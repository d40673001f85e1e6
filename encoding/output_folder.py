"""The folder that `sid encode` makes: complete, or absent."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.encoding.staging import PART_NAME

_CLAIM = "claim.lock"


class OutputFolder:
    """A folder that appears at its final path only when it is complete.

    Args:
        path: Its final path, on a file system of this machine.

    Raises:
        InputError: Something else than an earlier output is there.
    """

    def __init__(self, path: str):
        if "://" in path:
            raise InputError(f"{path}: expected a folder on a file system of this machine.")
        self.path = os.path.abspath(path)
        # Nothing but what this class made is ever replaced.
        if os.path.lexists(self.path):
            names = os.listdir(self.path) if os.path.isdir(self.path) else [""]
            foreign = [name for name in names if not re.fullmatch(PART_NAME, name)]
            if foreign:
                raise InputError(
                    f"{path}: exists, and is not an output of `sid encode` that could be replaced; "
                    "name another folder."
                )

    @property
    def rejects(self) -> str:
        """Path of the file of bad items."""
        return f"{self.path}.rejects.parquet"

    @contextmanager
    def staging(self) -> Iterator[str]:
        """A hidden folder beside it, removed at the end.

        Those of processes that were killed are removed, too.
        """
        parent, name = os.path.split(self.path)
        os.makedirs(parent, exist_ok=True)
        with os.scandir(parent) as entries:
            for entry in entries:
                if re.fullmatch(rf"\.{re.escape(name)}\.[a-z0-9_]{{8}}", entry.name):
                    _remove_if_abandoned(entry.path)
        folder = tempfile.mkdtemp(prefix=f".{name}.", dir=parent)
        try:
            with _claimed(folder):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, table: str, rejects: str | None) -> None:
        """Puts the output in place; an earlier output there is removed.

        Args:
            table: Folder of the parts, in `staging`.
            rejects: File of the bad items, in `staging`, if there are any.
        """
        if rejects:
            os.replace(rejects, self.rejects)
        elif os.path.exists(self.rejects):
            os.remove(self.rejects)
        if os.path.isdir(self.path):
            os.rename(self.path, f"{table}.replaced")
        os.rename(table, self.path)


@contextmanager
def _claimed(folder: str) -> Iterator[None]:
    """Holds a lock in a folder, which the kernel releases when this process ends."""
    path = os.path.join(folder, _CLAIM)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # It is there when it is locked, not before.
        os.rename(file.name, path)
        yield


def _remove_if_abandoned(folder: str) -> None:
    try:
        with open(os.path.join(folder, _CLAIM), encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except (FileNotFoundError, BlockingIOError):
        # Not claimed yet, or at work.
        return
