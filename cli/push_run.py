"""`sid push --run`: a new release of a finished run."""

import contextlib
import os
import shutil
import time
from typing import Any

import rich.console

from semantic_id_ranking.components.model_pusher.require_releasable import require_releasable
from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.pipeline.release import add_release
from semantic_id_ranking.pipeline.release import read_blessed
from semantic_id_ranking.pipeline.terminal import logged_to


def push_run(run: str, console: rich.console.Console) -> dict[str, Any]:
    """Makes the models of a run's newest blessed training the newest versions in its `serving/`.

    A model that is the newest version already stays; one that is an older version, or was rolled
    back, is renamed to a new number; one that is not there is copied from the run's artifacts.

    Args:
        run: Output folder of the run.
        console: Where to say what was done.

    Returns:
        The same, for `--json`: `versions`, the newest one of each model; `pushed`, names of those
        of which it is new.

    Raises:
        InputError: No run into the folder was blessed, or a model is missing, is damaged or does
            not answer; what was served stays served.
    """
    blessed = read_blessed(run)
    models = {name: os.path.join(run, path) for name, path in blessed.models.items()}
    for path in models.values():
        if not os.path.isdir(path):
            raise InputError(f"{path}: no such folder; {run} no longer has the model it pushed")
    with output_lock(run, "sid push"):
        with logged_to(os.path.join(run, "logs", "push.log")):
            require_releasable(models)
        serving = os.path.join(run, "serving")
        folders = {name: VersionFolder(os.path.join(serving, name)) for name in models}
        versions, moved = _push(models, folders)
        for name, version in versions.items():
            folders[name].keep(blessed.config["serving"]["keep_versions"], version)
        add_release(serving, blessed.with_versions(versions))
    for name, version in versions.items():
        console.print(
            f"{name}: version {version} " + ("is pushed" if name in moved else "is the newest"),
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    return {"versions": versions, "pushed": sorted(moved)}


def _push(
    models: dict[str, str], folders: dict[str, VersionFolder]
) -> tuple[dict[str, int], dict[str, str]]:
    """The newest version of each model, and what those that were renamed to it were before.

    All of the models get there, or none.
    """
    with contextlib.ExitStack() as stack:
        versions, sources = {}, {}
        for name, folder in folders.items():
            found = folder.find(models[name])
            if found is not None and found == folder.versions()[-1]:
                versions[name] = found
            else:
                staging = stack.enter_context(folder.staging())
                sources[name] = _source(models[name], folder, found, staging)
        moved: dict[str, str] = {}
        try:
            for name, source in sources.items():
                versions[name] = folders[name].add(source, int(time.time()))
                moved[name] = source
        except OSError as error:
            for name, source in moved.items():
                os.rename(folders[name].version_path(versions[name]), source)
            raise InputError(f"{error.filename}: cannot be moved ({error.strerror})") from error
    return {name: versions[name] for name in models}, moved


def _source(model: str, folder: VersionFolder, version: int | None, staging: str) -> str:
    """The folder that is renamed to the new version: an earlier version of the model, or a copy."""
    if version is not None:
        return folder.version_path(version)
    aside = folder.find_aside(model)
    if aside is not None:
        return folder.aside_path(aside)
    copy = os.path.join(staging, "copy")
    shutil.copytree(model, copy)
    check_file_digests(copy)
    return copy
