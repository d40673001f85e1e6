"""The journal of a change of what is served, by which it happens whole or not at all.

It is written when everything is ready and nothing but renames is left. A process that is killed
after that leaves a journal, and the next one completes the change; one that is killed before leaves
files that nobody sees, and the next one removes them.
"""

import contextlib
import logging
import os
import time
from collections.abc import Sequence

from semantic_id_ranking.components.releaser.release import ENCODER
from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.components.releaser.release import releases_with
from semantic_id_ranking.components.releaser.release import write_releases
from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.contracts.json_model import JsonModel

_log = logging.getLogger(__name__)

JOURNAL = ".releasing.json"
# A model server has to find the encoder of the ranker that it serves until it has loaded the next.
_LEAST_ENCODERS = 2


class Journal(JsonModel):
    """What is left to do.

    Attributes:
        moves: Folders that are renamed, in this order: the path of each before and after, relative
            to the folder of the models' base folders.
        release: What becomes the release that is served; null where there is no `release.json`.
        keep_versions: Versions of a model that stay; null deletes none.
        load_seconds: Time before the last move, in which model servers load what the others bring.
    """

    moves: list[tuple[str, str]]
    release: Release | None = None
    keep_versions: int | None = None
    load_seconds: float = 0.0

    @classmethod
    def of(
        cls,
        serving: str,
        moves: Sequence[tuple[str, str]],
        release: Release | None,
        keep_versions: int | None = None,
        load_seconds: float = 0.0,
    ) -> "Journal":
        """A journal of moves from path to path below the folder of the models' base folders."""
        relative = [(os.path.relpath(a, serving), os.path.relpath(b, serving)) for a, b in moves]
        return cls(
            moves=relative,
            release=release,
            keep_versions=keep_versions,
            load_seconds=load_seconds,
        )

    @property
    def is_rollback(self) -> bool:
        """Whether it goes back to what was released before: that alone deletes nothing."""
        return self.keep_versions is None


def commit(serving: str, journal: Journal) -> None:
    """Does what a journal says, all or nothing.

    Args:
        serving: Folder of the models' base folders.
        journal: What there is to do.

    Raises:
        InputError: A folder cannot be renamed or a file cannot be written; all is as it was.
    """
    os.makedirs(serving, exist_ok=True)
    path = os.path.join(serving, JOURNAL)
    write_json(path, journal.to_json())
    _carry_out(serving, journal)


def recover(serving: str) -> Journal | None:
    """Completes the change that a killed process left, and removes what it did not come to use.

    Args:
        serving: Folder of the models' base folders, which need not exist; nobody else changes it.

    Returns:
        The change; None where none was left.

    Raises:
        InputError: The journal is damaged, or its change cannot be completed, and is undone.
    """
    journal = None
    with contextlib.suppress(FileNotFoundError):
        journal = Journal.read(os.path.join(serving, JOURNAL))
    if journal is not None:
        _carry_out(serving, journal)
    if os.path.isdir(serving):
        for name in os.listdir(serving):
            VersionFolder(os.path.join(serving, name)).remove_staging()
    return journal


def _carry_out(serving: str, journal: Journal) -> None:
    journal_path = os.path.join(serving, JOURNAL)
    done: list[tuple[str, str]] = []
    try:
        for position, move in enumerate(journal.moves, 1):
            source, target = (os.path.join(serving, path) for path in move)
            if position == len(journal.moves):
                time.sleep(journal.load_seconds)
            # What a killed process has renamed is done.
            if os.path.lexists(source) or not os.path.lexists(target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.rename(source, target)
            done.append((source, target))
        surplus = _surplus(serving, journal)
        if journal.release:
            write_releases(serving, releases_with(serving, journal.release, surplus))
    except BaseException as error:
        _undo(done)
        os.remove(journal_path)
        if isinstance(error, OSError):
            raise InputError(
                f"{error.filename}: cannot be moved or written ({error.strerror}); what was served "
                "stays served"
            ) from error
        raise
    for name, versions in surplus.items():
        try:
            VersionFolder(os.path.join(serving, name)).delete(versions)
        except OSError as error:
            # The release has happened; the next one tries again.
            _log.warning("%s/%s: old versions stay, %s", serving, name, error)
    os.remove(journal_path)


def _undo(done: Sequence[tuple[str, str]]) -> None:
    for source, target in reversed(done):
        os.makedirs(os.path.dirname(source), exist_ok=True)
        os.rename(target, source)


def _surplus(serving: str, journal: Journal) -> dict[str, list[int]]:
    """Versions of each model that go; an encoder stays as long as a ranker of its space does."""
    if journal.keep_versions is None or journal.release is None:
        return {}
    pushed = journal.release.versions
    rankers, encoders = (VersionFolder(os.path.join(serving, name)) for name in (RANKER, ENCODER))
    old_rankers = rankers.surplus(journal.keep_versions, pushed[RANKER])
    kept = set(rankers.versions()) - set(old_rankers)
    spaces = {space for ranker in kept if (space := rankers.fingerprint(ranker)) is not None}
    count = max(journal.keep_versions, _LEAST_ENCODERS)
    return {RANKER: old_rankers, ENCODER: encoders.surplus(count, pushed[ENCODER], spaces)}
