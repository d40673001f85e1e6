"""`release.json`: versions, SID space and artifacts of the served models, and of earlier ones.

Its paths are relative to the output folder of the run, which may be moved or copied.
"""

import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.contracts.json_model import JsonModel
from semantic_id_ranking.contracts.version_folders import RELEASE

#: Names of the two models that are served, and of their base folders.
RANKER = "ranker"
ENCODER = "semantic_id"
_BEFORE = "before"


class Release(JsonModel):
    """The models of one run, and the artifacts that they belong to.

    Attributes:
        versions: Version of each model, by name; none of a run that was blessed and not released.
        fingerprint: Its SID space.
        models: Folder of the SavedModel of each model, by name.
        semantic_ids: Folder of the table of Semantic IDs.
        state: Folder of the users' histories and counters, and the items' counters and titles.
        config: The configuration, as the version that made the run writes it.

    Folders within the output folder of the run are relative to it.
    """

    versions: dict[str, int] = {}
    fingerprint: str
    models: dict[str, str]
    semantic_ids: str
    state: str
    config: dict[str, Any]

    def with_versions(self, versions: Mapping[str, int]) -> "Release":
        """The same models, as other versions."""
        return self.model_copy(update={"versions": dict(versions)})

    @property
    def store(self) -> str | None:
        """Where the store of its Semantic IDs is, as `serving.store` says it; None: nowhere."""
        store: str | None = self.config.get("serving", {}).get("store")
        return store

    @property
    def counters(self) -> bool:
        """Whether counters and users of its state go into the store with the Semantic IDs."""
        return bool(self.config.get("context", {}).get("counters"))

    @property
    def keep_versions(self) -> int:
        """Versions of a model that stay."""
        return int(self.config["serving"]["keep_versions"])

    @property
    def replay(self) -> int:
        """Days that a refresh of its SID space replays."""
        return int(self.config.get("days", {}).get("replay", 14))

    @property
    def load_seconds(self) -> float:
        """Time between a new encoder and its ranker."""
        return float(self.config["serving"].get("load_seconds", 0.0))


class _ReleaseFile(Release):
    """The release that is served, and those before it, newest first."""

    before: list[Release] = []


def relative_to(output: str, path: str) -> str:
    """A path as a release names it: relative to the output folder, where it is in there."""
    inside = os.path.relpath(path, output)
    return path if inside.startswith(os.pardir) else inside


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


def released_rankers(serving: str) -> list[str]:
    """Folders of the released rankers' SavedModels, as releases name them, the served one first.

    Args:
        serving: Folder of the models' base folders.
    """
    models = [release.models for release in read_releases(serving)]
    return [of_release[RANKER] for of_release in models if RANKER in of_release]


def write_releases(serving: str, releases: Sequence[Release]) -> None:
    """Writes a file that appears whole.

    Args:
        serving: Folder of the models' base folders.
        releases: As `read_releases` gives them; at least one.
    """
    newest, *older = (release.to_json() for release in releases)
    write_json(os.path.join(serving, RELEASE), {**newest, _BEFORE: older})


def releases_with(
    serving: str, release: Release, without: Mapping[str, Sequence[int]]
) -> list[Release]:
    """A release before the older ones whose models stay.

    Args:
        serving: Folder of the models' base folders.
        release: With the version of each model.
        without: Versions of each model, by name, that are about to be deleted.
    """

    def stays(versions: Mapping[str, int]) -> bool:
        deleted = any(version in without.get(name, ()) for name, version in versions.items())
        return not deleted and is_on_disk(serving, versions)

    older = [
        earlier
        for earlier in read_releases(serving)
        if earlier.versions.get(RANKER) != release.versions.get(RANKER) and stays(earlier.versions)
    ]
    return [release, *older]


def is_on_disk(serving: str, versions: Mapping[str, int]) -> bool:
    """Whether all of the versions are there to be served; there is one at least.

    Args:
        serving: Folder of the models' base folders.
        versions: Version of each model, by name.
    """
    return bool(versions) and all(
        version in VersionFolder(os.path.join(serving, name)).versions()
        for name, version in versions.items()
    )
