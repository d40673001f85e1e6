"""`sid push --rollback`: return to the models that were released before."""

import contextlib
import os
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import rich.console

from semantic_id_ranking.cli.serve import base_paths
from semantic_id_ranking.components.releaser.encoder_versions import encoder_of
from semantic_id_ranking.components.releaser.encoder_versions import superfluous_encoders
from semantic_id_ranking.components.releaser.journal import commit
from semantic_id_ranking.components.releaser.journal import Journal
from semantic_id_ranking.components.releaser.journal import recover
from semantic_id_ranking.components.releaser.release import ENCODER
from semantic_id_ranking.components.releaser.release import is_on_disk
from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.version_folders import RELEASE
from semantic_id_ranking.pipeline.output_lock import LOCK_FILE
from semantic_id_ranking.pipeline.output_lock import output_lock

Folders = Mapping[str, VersionFolder]


def rollback(models: str, model: str | None, console: rich.console.Console) -> dict[str, Any]:
    """Goes back to the release before, or to the version before the newest of one model.

    What is newer is moved to `<model>/.rolled_back/<version>`, where no model server looks; a
    server that serves the latest version then loads the one before it. `release.json` follows. The
    encoder of the ranker that is taken back stays for as long as a server may serve that ranker:
    the next release or rollback moves it. A rollback that was killed halfway is completed, and
    nothing goes back further.

    Args:
        models: Folder of the models' base folders.
        model: Name of the model; None goes back with all that the release holds.
        console: Where to say what was done.

    Returns:
        The same, for `--json`: `versions`, the version of each model that belongs to what is served
        now; `set_aside`, the one that was the newest of each model that was moved.

    Raises:
        InputError: There is no such model or no older version, or the ranker would be without an
            encoder of its SID space; nothing was moved.
    """
    with _locked(models) as completed:
        folders = {name: VersionFolder(path) for name, path in base_paths(models).items()}
        if completed is not None and completed.is_rollback:
            aside = _moved(completed)
            target = completed.release.versions if completed.release else _served(folders)
        else:
            target, aside = _go_back(models, folders, model)
    set_aside = {name: versions[-1] for name, versions in aside.items()}
    for name, version in set_aside.items():
        console.print(
            f"{name}: version {folders[name].versions()[-1]} is the newest again; {version} is in "
            f"{folders[name].path}/.rolled_back",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    return {"versions": dict(target), "set_aside": set_aside}


def _go_back(
    models: str, folders: Folders, model: str | None
) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Version of each model that is served then, and those that were moved aside for it."""
    if model is not None and model not in folders:
        held = ", ".join(sorted(folders))
        raise InputError(f"--model {model}: no such model in {models}; it holds {held}")
    if model not in (None, RANKER):
        target = _served(folders) | {model: _version_before(folders[model])}
        aside = {model: _newer(folders[model], target[model])}
    else:
        target = _ranker_before(models, folders, by_release=model is None)
        aside = {
            ENCODER: _encoders_aside(folders, target),
            RANKER: _newer(folders[RANKER], target[RANKER]),
        }
    aside = {name: versions for name, versions in aside.items() if versions}
    _require_encoder(folders, target, aside, model)
    moves = [
        (folders[name].version_path(version), folders[name].aside_path(version))
        for name, versions in aside.items()
        for version in versions
    ]
    commit(models, Journal.of(models, moves, _release_of(models, target)))
    return target, aside


def _moved(journal: Journal) -> dict[str, list[int]]:
    """The versions of each model that a rollback moved aside."""
    moved: dict[str, list[int]] = {}
    for source, _ in journal.moves:
        name, version = os.path.split(source)
        moved.setdefault(name, []).append(int(version))
    return moved


@contextlib.contextmanager
def _locked(models: str) -> Iterator[Journal | None]:
    """The lock of the output folder that the models are in, if they are in one.

    Yields:
        The change that a killed process left and that was completed; None where there was none.
    """
    output = os.path.dirname(os.path.abspath(models))
    if os.path.exists(os.path.join(output, LOCK_FILE)):
        with output_lock(output, "sid push") as completed:
            yield completed
    else:
        yield recover(models)


def _served(folders: Folders) -> dict[str, int]:
    return {name: folder.versions()[-1] for name, folder in folders.items()}


def _newer(folder: VersionFolder, version: int) -> list[int]:
    """Newer versions, oldest first: in this order none of them becomes the newest on the way."""
    return [newer for newer in folder.versions() if newer > version]


def _version_before(folder: VersionFolder) -> int:
    versions = folder.versions()
    if len(versions) < 2:
        raise InputError(
            f"{folder.path}: holds version {versions[0]} alone; a rollback needs an older one"
        )
    return versions[-2]


def _ranker_before(models: str, folders: Folders, by_release: bool) -> dict[str, int]:
    """Version of each model before the ranker that is served.

    Args:
        models: Folder of the models' base folders.
        folders: Those.
        by_release: Whether the release before says which these are, if there is one.
    """
    if RANKER not in folders:
        raise InputError(f"{models}: holds no {RANKER}; name the model to roll back with --model")
    served = folders[RANKER].versions()[-1]
    releases = read_releases(models) if by_release else []
    if releases and releases[0].versions.get(RANKER) == served:
        for release in releases[1:]:
            if release.versions.keys() == folders.keys() and is_on_disk(models, release.versions):
                return dict(release.versions)
    target = _served(folders) | {RANKER: _version_before(folders[RANKER])}
    if ENCODER in folders:
        space = folders[RANKER].fingerprint(target[RANKER])
        target[ENCODER] = encoder_of(folders[ENCODER], space) or target[ENCODER]
    return target


def _encoders_aside(folders: Folders, target: Mapping[str, int]) -> list[int]:
    if ENCODER not in folders:
        return []
    rankers, encoders = folders[RANKER], folders[ENCODER]
    served = encoder_of(encoders, rankers.fingerprint(rankers.versions()[-1]))
    return superfluous_encoders(encoders, served, target[ENCODER])


def _require_encoder(
    folders: Folders,
    target: Mapping[str, int],
    aside: Mapping[str, list[int]],
    model: str | None,
) -> None:
    """Refuses to leave a ranker without an encoder of its space among the two newest."""
    if RANKER not in folders or ENCODER not in folders:
        return
    space = folders[RANKER].fingerprint(target[RANKER])
    left = [v for v in folders[ENCODER].versions() if v not in aside.get(ENCODER, ())]
    spaces = {folders[ENCODER].fingerprint(version) for version in left[-2:]}
    if space is not None and space not in spaces and None not in spaces:
        found = " and ".join(sorted(filter(None, spaces)))
        remedy = "leave out --model" if model else "push a run with sid push --run"
        raise InputError(
            f"rolling back {model or 'the release'} would leave {RANKER} version {target[RANKER]} "
            f"of SID space {space} with a {ENCODER} of {found}, which do not belong together; "
            f"{remedy}"
        )


def _release_of(models: str, target: Mapping[str, int]) -> Release | None:
    """The release of the ranker's version, of these versions; None without a file."""
    releases = read_releases(models)
    for release in releases:
        if release.versions.get(RANKER) == target.get(RANKER):
            return release.with_versions(target)
    if releases:
        raise InputError(
            f"{models}/{RELEASE}: has nothing on {RANKER} version {target.get(RANKER)}; to "
            "roll back to it all the same, move this file away"
        )
    return None
