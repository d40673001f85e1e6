"""`sid push --rollback`: back to the models that were pushed before."""

from collections.abc import Mapping
from typing import Any

import rich.console

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder
from semantic_id_ranking.pipeline.release import read_releases
from semantic_id_ranking.pipeline.release import RELEASE
from semantic_id_ranking.pipeline.release import write_releases
from semantic_id_ranking.pipeline.serve import base_paths

#: The model whose version tells which release is served: its columns and tasks are the release's.
_RANKER = "ranker"


def rollback(models: str, model: str | None, console: rich.console.Console) -> None:
    """Goes back to the version before the newest.

    The newest version is moved to `<model>/.rolled_back/<version>`, where no model server looks; a
    server that serves the latest version then loads the one before it. `release.json` follows.

    Args:
        models: Folder of the models' base folders.
        model: Name of the model; None takes all of them.
        console: Where to say what was done.

    Raises:
        InputError: There is no such model or no older version, or models of two SID spaces would
            be served together; nothing was moved.
    """
    folders = {name: VersionFolder(path) for name, path in base_paths(models).items()}
    if model is not None and model not in folders:
        raise InputError(f"--model {model}: no such model in {models}; it holds {_list(folders)}")
    served = {name: folder.versions()[-1] for name, folder in folders.items()}
    chosen = {name: folders[name] for name in ([model] if model else folders)}
    target = served | {name: _version_before(folder) for name, folder in chosen.items()}
    _require_one_space(folders, target, model)
    releases = _releases_from(models, target)
    _set_aside(chosen, served)
    if releases:
        write_releases(models, releases)
    for name in chosen:
        console.print(
            f"{name}: version {target[name]} is the newest again; {served[name]} is in "
            f"{folders[name].path}/.rolled_back",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


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


def _releases_from(models: str, target: Mapping[str, int]) -> list[dict[str, Any]]:
    """The releases, from the one that belongs to the ranker's version on; none without a file."""
    releases = read_releases(models)
    for position, release in enumerate(releases):
        if release.get("versions", {}).get(_RANKER) == target.get(_RANKER):
            return [{**release, "versions": dict(target)}, *releases[position + 1 :]]
    if releases:
        raise InputError(
            f"{models}/{RELEASE}: tells nothing of {_RANKER} version {target.get(_RANKER)}; to "
            "roll back to it all the same, move this file away"
        )
    return []


def _set_aside(folders: Mapping[str, VersionFolder], served: Mapping[str, int]) -> None:
    """Moves the newest version of all of the models, or of none."""
    moved = []
    try:
        for name, folder in folders.items():
            folder.set_aside(served[name])
            moved.append(name)
    except OSError as error:
        for name in moved:
            folders[name].restore(served[name])
        raise InputError(f"{error.filename}: cannot be moved ({error.strerror})") from error


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names))
