"""`release.json`: versions, SID space and artifacts of the served models, and of earlier ones.

Its paths are relative to the output folder of the run, which may be moved or copied.
"""

import json
import os
from collections.abc import Mapping
from typing import Any
from typing import TYPE_CHECKING

from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict

if TYPE_CHECKING:
    from semantic_id_ranking.pipeline.run_records import RunRecords

RELEASE = "release.json"
#: In the output folder: what the newest blessed run made, for `sid push --run`.
BLESSED = "blessed.json"
_BEFORE = "before"
# TFX's name of the SavedModel within an artifact.
_SERVED_MODEL = "Format-Serving"


def describe(
    records: "RunRecords", config: Config, fingerprint: str, output: str
) -> dict[str, Any]:
    """Describes a run for its release and for the clients of the model server.

    Args:
        records: What ML Metadata recorded of the run.
        config: Its configuration.
        fingerprint: Its SID space.
        output: Its output folder.

    Returns:
        `fingerprint`; `models`, the SavedModel of each model by name; `semantic_ids` and
        `histories`, folders; `config`. Paths within the output folder are relative to it.
    """

    def relative(node: str, key: str, *names: str) -> str:
        path = os.path.join(records.output(node, key).uri, *names)
        inside = os.path.relpath(path, output)
        return path if inside.startswith(os.pardir) else inside

    return {
        "fingerprint": fingerprint,
        "models": {
            "semantic_id": relative("Trainer.rqvae", "model", _SERVED_MODEL),
            "ranker": relative("Trainer.ranker", "model", _SERVED_MODEL),
        },
        "semantic_ids": relative("SemanticIdGen", "semantic_ids"),
        "histories": relative("FeatureJoiner", "histories"),
        "config": to_dict(config),
    }


def read_blessed(run: str) -> dict[str, Any]:
    """The description of the newest blessed run in an output folder.

    Raises:
        InputError: There is none.
    """
    path = os.path.join(run, BLESSED)
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {run} holds no run that was blessed") from None


def write_blessed(run: str, description: dict[str, Any]) -> None:
    """Writes the description of a run, in a file that appears whole."""
    write_json(os.path.join(run, BLESSED), description)


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
    write_json(os.path.join(serving, RELEASE), {**releases[0], _BEFORE: releases[1:]})


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
