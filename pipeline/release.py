"""`release.json`: what belongs to the models that are served, and to those served before."""

import json
import os
from collections.abc import Mapping
from typing import Any

from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder

RELEASE = "release.json"
_BEFORE = "before"


def newest_versions(pushed: Mapping[str, str | None]) -> dict[str, int] | None:
    """Versions of models that were pushed together, if these are what is served.

    A push that came from the cache may have been followed by another one, or been rolled back.

    Args:
        pushed: Version folder of each model, by name; None for one that was not pushed.

    Returns:
        The version of each model; None unless each is its model's newest.
    """
    versions = {}
    for name, path in pushed.items():
        if path is None:
            return None
        versions[name] = int(os.path.basename(path))
        if VersionFolder(os.path.dirname(path)).versions()[-1:] != [versions[name]]:
            return None
    return versions


def read_releases(serving: str) -> list[dict[str, Any]]:
    """The release that is served and, behind it, older ones, newest first.

    Args:
        serving: Folder of the models' base folders.

    Returns:
        The releases; none where there is no `release.json`.
    """
    try:
        with open(os.path.join(serving, RELEASE), encoding="utf-8") as file:
            release = json.load(file)
    except FileNotFoundError:
        return []
    return [release, *release.pop(_BEFORE, [])]


def write_releases(serving: str, releases: list[dict[str, Any]]) -> None:
    """Writes a file that appears whole.

    Args:
        serving: Folder of the models' base folders.
        releases: As `read_releases` gives them; at least one.
    """
    path = os.path.join(serving, RELEASE)
    with open(f"{path}.tmp", "w", encoding="utf-8") as file:
        json.dump({**releases[0], _BEFORE: releases[1:]}, file, indent=2)
    os.replace(f"{path}.tmp", path)


def add_release(serving: str, release: dict[str, Any]) -> None:
    """Puts a release before the older ones whose models are still there.

    Args:
        serving: Folder of the models' base folders.
        release: Its `versions` holds the version of each model, by name.
    """
    older = [
        earlier
        for earlier in read_releases(serving)
        if earlier.get("versions") != release["versions"]
        and _on_disk(serving, earlier.get("versions", {}))
    ]
    write_releases(serving, [release, *older])


def _on_disk(serving: str, versions: Mapping[str, int]) -> bool:
    return bool(versions) and all(
        version in VersionFolder(os.path.join(serving, name)).versions()
        for name, version in versions.items()
    )
