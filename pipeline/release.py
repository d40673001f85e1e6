"""`release.json`: versions, SID space and artifacts of the served models, and of earlier ones.

Its paths are relative to the output folder of the run, which may be moved or copied.
"""

import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TYPE_CHECKING

from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.json_model import JsonModel

if TYPE_CHECKING:
    from semantic_id_ranking.pipeline.run_records import RunRecords

RELEASE = "release.json"
#: In the output folder: what the newest blessed run made, for `sid push --run`.
BLESSED = "blessed.json"
_BEFORE = "before"
# TFX's name of the SavedModel within an artifact.
_SERVED_MODEL = "Format-Serving"


class Release(JsonModel):
    """The models of one run, and the artifacts that they belong to.

    Attributes:
        versions: Version of each model, by name; none of a run that was blessed and not released.
        fingerprint: Its SID space.
        models: Folder of the SavedModel of each model, by name.
        semantic_ids: Folder of the table of Semantic IDs.
        histories: Folder of the users' histories and the items' titles.
        config: The configuration, as the version that made the run writes it.

    Folders within the output folder of the run are relative to it.
    """

    versions: dict[str, int] = {}
    fingerprint: str
    models: dict[str, str]
    semantic_ids: str
    histories: str
    config: dict[str, Any]

    def with_versions(self, versions: Mapping[str, int]) -> "Release":
        """The same models, as other versions."""
        return self.model_copy(update={"versions": dict(versions)})


class _ReleaseFile(Release):
    """The release that is served, and those before it, newest first."""

    before: list[Release] = []


def describe(records: "RunRecords", config: Config, fingerprint: str, output: str) -> Release:
    """Describes a run for its release and for the clients of the model server.

    Args:
        records: What ML Metadata recorded of the run.
        config: Its configuration.
        fingerprint: Its SID space.
        output: Its output folder.
    """

    def relative(node: str, key: str, *names: str) -> str:
        path = os.path.join(records.output(node, key).uri, *names)
        inside = os.path.relpath(path, output)
        return path if inside.startswith(os.pardir) else inside

    return Release(
        fingerprint=fingerprint,
        models={
            "semantic_id": relative("Trainer.rqvae", "model", _SERVED_MODEL),
            "ranker": relative("Trainer.ranker", "model", _SERVED_MODEL),
        },
        semantic_ids=relative("SemanticIdGen", "semantic_ids"),
        histories=relative("FeatureJoiner", "histories"),
        config=to_dict(config),
    )


def read_blessed(run: str) -> Release:
    """The description of the newest blessed run in an output folder.

    Raises:
        InputError: There is none, or its file is damaged.
    """
    path = os.path.join(run, BLESSED)
    try:
        return Release.read(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {run} holds no run that was blessed") from None


def write_blessed(run: str, release: Release) -> None:
    """Writes the description of a run, in a file that appears whole."""
    write_json(os.path.join(run, BLESSED), release.to_json())


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


def read_releases(serving: str) -> list[Release]:
    """The release that is served and, behind it, older ones, newest first.

    Args:
        serving: Folder of the models' base folders.

    Returns:
        The releases; none where there is no `release.json`.

    Raises:
        InputError: The file is damaged.
    """
    try:
        served = _ReleaseFile.read(os.path.join(serving, RELEASE))
    except FileNotFoundError:
        return []
    content = served.to_json()
    content.pop(_BEFORE, None)
    return [Release.model_validate(content), *served.before]


def write_releases(serving: str, releases: Sequence[Release]) -> None:
    """Writes a file that appears whole.

    Args:
        serving: Folder of the models' base folders.
        releases: As `read_releases` gives them; at least one.
    """
    newest, *older = (release.to_json() for release in releases)
    write_json(os.path.join(serving, RELEASE), {**newest, _BEFORE: older})


def add_release(serving: str, release: Release) -> None:
    """Puts a release before the older ones whose models are still there.

    Args:
        serving: Folder of the models' base folders.
        release: With the version of each model.
    """
    older = [
        earlier
        for earlier in read_releases(serving)
        if earlier.versions != release.versions and _on_disk(serving, earlier.versions)
    ]
    write_releases(serving, [release, *older])


def _on_disk(serving: str, versions: Mapping[str, int]) -> bool:
    return bool(versions) and all(
        version in VersionFolder(os.path.join(serving, name)).versions()
        for name, version in versions.items()
    )
