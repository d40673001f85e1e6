"""The base folder of a model, in which versions appear and disappear whole."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator

from semantic_id_ranking.contracts.file_digests import read_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.contracts.version_folders import version_folders

_STAGING = ".pushing-"
_ROLLED_BACK = ".rolled_back"
_ABANDONED_SECONDS = 24 * 3600


class VersionFolder:
    """Versions of a model, on a local file system; a model server may be watching.

    A version is a folder whose name is a whole number. Model servers pass over other names: what is
    being written, and what was rolled back, has one that begins with a dot.

    Args:
        path: The folder.
    """

    def __init__(self, path: str):
        self.path = path

    def versions(self) -> list[int]:
        """The versions, oldest first; empty where there is no such folder."""
        return _versions(self.path)

    def version_path(self, version: int) -> str:
        """The folder of a version."""
        return os.path.join(self.path, str(version))

    def fingerprint(self, version: int) -> str | None:
        """The SID space that a version lives in; None where it names none."""
        try:
            return SidSpace.load(
                os.path.join(self.version_path(version), "assets.extra")
            ).fingerprint
        except FileNotFoundError:
            return None

    def find(self, model: str) -> int | None:
        """The version that is a copy of an exported model; None where there is none."""
        return _find(model, self.path)

    def find_aside(self, model: str) -> int | None:
        """The version, among those set aside, that is a copy of an exported model, or None."""
        return _find(model, os.path.join(self.path, _ROLLED_BACK))

    @contextlib.contextmanager
    def staging(self) -> Iterator[str]:
        """An empty folder on the same file system, which is removed at the end with what it holds.

        What a push that was killed more than a day ago has left is removed, too.
        """
        os.makedirs(self.path, exist_ok=True)
        with os.scandir(self.path) as entries:
            for entry in entries:
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if entry.name.startswith(_STAGING) and age > _ABANDONED_SECONDS:
                    shutil.rmtree(entry.path, ignore_errors=True)
        staging = tempfile.mkdtemp(prefix=_STAGING, dir=self.path)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def add(self, complete: str, version: int) -> int:
        """Renames a folder to a version.

        Args:
            complete: A folder within `staging`, an older version, or one that was set aside.
            version: Its version; one more than the newest that ever was, where that is greater.

        Returns:
            The version that it has become, which is the newest.
        """
        taken = [*self.versions(), *_versions(os.path.join(self.path, _ROLLED_BACK))]
        version = max([version, *(number + 1 for number in taken)])
        os.rename(complete, self.version_path(version))
        return version

    def keep(self, count: int, pushed: int) -> None:
        """Deletes the oldest versions.

        Args:
            count: Versions kept, at least 1.
            pushed: It and newer ones are kept in any case.
        """
        surplus = [version for version in self.versions()[:-count] if version < pushed]
        if not surplus:
            return
        with self.staging() as staging:
            for version in surplus:
                os.rename(self.version_path(version), os.path.join(staging, str(version)))

    def set_aside(self, version: int) -> None:
        """Moves a version to where a model server does not see it, `.rolled_back/<version>`."""
        os.makedirs(os.path.join(self.path, _ROLLED_BACK), exist_ok=True)
        os.rename(self.version_path(version), self.aside_path(version))

    def restore(self, version: int) -> None:
        """Undoes `set_aside`."""
        os.rename(self.aside_path(version), self.version_path(version))

    def aside_path(self, version: int) -> str:
        """The folder of a version that was set aside."""
        return os.path.join(self.path, _ROLLED_BACK, str(version))


def _find(model: str, path: str) -> int | None:
    """The newest version below a path that has the digests of a model."""
    wanted = read_file_digests(model)
    for version in reversed(_versions(path)):
        found = read_file_digests(os.path.join(path, str(version)))
        if found is not None and found == wanted:
            return version
    return None


def _versions(path: str) -> list[int]:
    try:
        return list(version_folders(path))
    except FileNotFoundError:
        return []
