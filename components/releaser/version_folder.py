"""The base folder of a model, in which versions appear and disappear whole."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence

from semantic_id_ranking.contracts.file_digests import read_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.contracts.version_folders import version_folders

_STAGING = ".pushing-"
_ROLLED_BACK = ".rolled_back"


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
        return _fingerprint(self.version_path(version))

    def find(self, model: str) -> int | None:
        """The version that is a copy of an exported model; None where there is none."""
        return _find(model, self.path)

    def find_aside(self, model: str) -> int | None:
        """The version, among those set aside, that is a copy of an exported model, or None."""
        return _find(model, os.path.join(self.path, _ROLLED_BACK))

    @contextlib.contextmanager
    def staging(self) -> Iterator[str]:
        """An empty folder on the same file system, which is removed at the end with what it holds.

        What a killed process leaves of it, `remove_staging` removes.
        """
        os.makedirs(self.path, exist_ok=True)
        staging = tempfile.mkdtemp(prefix=_STAGING, dir=self.path)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def remove_staging(self) -> None:
        """Removes what killed processes left of their staging; nobody else may be working."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.path) as e:
            for entry in e:
                if entry.name.startswith(_STAGING):
                    shutil.rmtree(entry.path, ignore_errors=True)

    def next_version(self, version: int) -> int:
        """A number that is greater than that of every version there ever was.

        Args:
            version: The number to take if it is.
        """
        taken = [*self.versions(), *_versions(os.path.join(self.path, _ROLLED_BACK))]
        return max([version, *(number + 1 for number in taken)])

    def surplus(self, count: int, pushed: int, needed: Collection[str] = ()) -> list[int]:
        """The oldest versions, which may go.

        Args:
            count: Versions that stay, at least 1.
            pushed: It and newer ones stay in any case.
            needed: SID spaces whose versions stay in any case.
        """
        return [
            version
            for version in self.versions()[:-count]
            if version < pushed and self.fingerprint(version) not in needed
        ]

    def delete(self, versions: Sequence[int]) -> None:
        """Deletes versions, each of which disappears at once."""
        if not versions:
            return
        with self.staging() as staging:
            for version in versions:
                os.rename(self.version_path(version), os.path.join(staging, str(version)))

    def spaces(self) -> set[str]:
        """The SID spaces of all versions, those that were set aside among them."""
        paths = [self.version_path(version) for version in self.versions()]
        aside = _versions(os.path.join(self.path, _ROLLED_BACK))
        paths += [self.aside_path(version) for version in aside]
        return {space for path in paths if (space := _fingerprint(path)) is not None}

    def aside_path(self, version: int) -> str:
        """The folder of a version that was set aside, where no model server sees it."""
        return os.path.join(self.path, _ROLLED_BACK, str(version))


def _fingerprint(path: str) -> str | None:
    try:
        return SidSpace.load(os.path.join(path, "assets.extra")).fingerprint
    except FileNotFoundError:
        return None


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
