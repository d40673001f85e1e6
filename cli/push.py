"""`sid push --rollback`: return to the models that were released before."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import rich.console

from semantic_id_ranking.cli.serve import base_paths
from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.release import read_releases
from semantic_id_ranking.pipeline.release import RELEASE
from semantic_id_ranking.pipeline.release import Release
from semantic_id_ranking.pipeline.release import write_releases

#: The model whose version tells which release is served: its columns and tasks are the release's.
_RANKER = "ranker"


def rollback(models: str, model: str | None, console: rich.console.Console) -> dict[str, Any]:
    """Goes back to the release before, or to the version before the newest of one model.

    What is newer is moved to `<model>/.rolled_back/<version>`, where no model server looks; a
    server that serves the latest version then loads the one before it. `release.json` follows. A
    model that both releases have stays.

    Args:
        models: Folder of the models' base folders.
        model: Name of the model; None goes back with all of them.
        console: Where to say what was done.

    Returns:
        The same, for `--json`: `versions`, the newest one of each model now; `set_aside`, the one
        that was the newest of each model that went back.

    Raises:
        InputError: There is no such model or no older version, or models of two SID spaces would
            be served together; nothing was moved.
    """
    folders = {name: VersionFolder(path) for name, path in base_paths(models).items()}
    if model is not None and model not in folders:
        raise InputError(f"--model {model}: no such model in {models}; it holds {_list(folders)}")
    served = {name: folder.versions()[-1] for name, folder in folders.items()}
    before = None if model else _versions_before(models, folders, served)
    if before is None:
        chosen = {name: folders[name] for name in ([model] if model else folders)}
        before = {name: _version_before(folder) for name, folder in chosen.items()}
    target = served | before
    _require_one_space(folders, target, model)
    releases = _releases_from(models, target)
    moved = [
        (folder, version)
        for name, folder in folders.items()
        for version in folder.versions()
        if version > target[name]
    ]
    _set_aside(moved)
    if releases:
        write_releases(models, releases)
    for name, folder in folders.items():
        if target[name] == served[name]:
            continue
        console.print(
            f"{name}: version {target[name]} is the newest again; {served[name]} is in "
            f"{folder.path}/.rolled_back",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    set_aside = {name: served[name] for name in folders if target[name] != served[name]}
    return {"versions": dict(target), "set_aside": set_aside}


def _versions_before(
    models: str, folders: Mapping[str, VersionFolder], served: Mapping[str, int]
) -> dict[str, int] | None:
    """Versions of the release before, if what is served is a release."""
    releases = [release.versions for release in read_releases(models)]
    if not releases or releases[0] != served:
        return None
    for versions in releases[1:]:
        if versions.keys() == served.keys() and all(
            version in folders[name].versions() for name, version in versions.items()
        ):
            return versions
    return None


def _version_before(folder: VersionFolder) -> int:
    versions = folder.versions()
    if len(versions) < 2:
        raise InputError(
            f"{folder.path}: holds version {versions[0]} alone; a rollback needs an older one"
        )
    return versions[-2]


def _require_one_space(
    folders: Mapping[str, VersionFolder], target: Mapping[str, int], model: str | None
) -> None:
    """Refuses models of two SID spaces; those that name no space go with any."""
    spaces = {name: folders[name].fingerprint(version) for name, version in target.items()}
    if len(set(spaces.values()) - {None}) > 1:
        found = " and ".join(
            f"{name} version {target[name]} of SID space {space}"
            for name, space in spaces.items()
            if space
        )
        remedy = "leave out --model" if model else "name one with --model"
        raise InputError(
            f"rolling back {model or 'every model'} would leave {found}, which do not belong "
            f"together; {remedy}"
        )


def _releases_from(models: str, target: Mapping[str, int]) -> list[Release]:
    """The releases, from the one that belongs to the ranker's version on; none without a file."""
    releases = read_releases(models)
    for position, release in enumerate(releases):
        if release.versions.get(_RANKER) == target.get(_RANKER):
            return [release.with_versions(target), *releases[position + 1 :]]
    if releases:
        raise InputError(
            f"{models}/{RELEASE}: has nothing on {_RANKER} version {target.get(_RANKER)}; to "
            "roll back to it all the same, move this file away"
        )
    return []


def _set_aside(versions: Sequence[tuple[VersionFolder, int]]) -> None:
    """Moves all of the versions, or none."""
    moved = []
    try:
        for folder, version in versions:
            folder.set_aside(version)
            moved.append((folder, version))
    except OSError as error:
        for folder, version in moved:
            folder.restore(version)
        raise InputError(f"{error.filename}: cannot be moved ({error.strerror})") from error


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names))
