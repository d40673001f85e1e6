"""The folder that `sid encode` makes: complete, or absent."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.semantic_id_gen.staging import PART_NAME


class OutputFolder:
    """A folder that is put in place whole.

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
        """A hidden folder beside it, removed at the end."""
        parent, name = os.path.split(self.path)
        os.makedirs(parent, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=f".{name}.", dir=parent)
        try:
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
