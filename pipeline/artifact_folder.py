"""The folders of artifacts of an output folder, and their removal."""

import dataclasses
import os
import shutil
from collections.abc import Iterator
from collections.abc import Set
from typing import Any

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.blessed import BLESSED
from semantic_id_ranking.pipeline.blessed import read_blessed
from semantic_id_ranking.pipeline.destinations import Destinations

#: Folder of TFX's own files of an execution, which nobody reads after it.
_SYSTEM = ".system"


@dataclasses.dataclass(frozen=True)
class ArtifactFolder:
    """One output of an execution.

    Attributes:
        path: The folder.
        key: `<component>/<output>/<execution>`, which is also the end of the artifact's URI; a
            moved output folder changes only what stands before it.
        execution: Id of the execution; None for what is no output, such as checkpoints.
    """

    path: str
    key: str
    execution: int | None


def artifact_key(uri: str) -> str:
    """The key of an artifact's folder.

    Args:
        uri: URI of an artifact, or a path to something in its folder.
    """
    parts = [part for part in uri.split("/") if part]
    while len(parts) > 3 and not parts[-1].isdecimal():
        parts.pop()
    return "/".join(parts[-3:])


def artifact_folders(root: str) -> Iterator[ArtifactFolder]:
    """Walks `<root>/<component>/<output>/<execution>`."""
    for component in _subfolders(root):
        if component.startswith("."):
            continue
        for output in _subfolders(os.path.join(root, component)):
            if output == _SYSTEM:
                continue
            for name in _subfolders(os.path.join(root, component, output)):
                yield ArtifactFolder(
                    os.path.join(root, component, output, name),
                    f"{component}/{output}/{name}",
                    int(name) if name.isascii() and name.isdecimal() else None,
                )


def released_keys(serving: str) -> set[str]:
    """Keys of the artifacts that are served, were served, or that `sid push --run` releases.

    Args:
        serving: Folder of the models' base folders, in the output folder of the runs.
    """
    output = os.path.dirname(serving)
    blessed = [read_blessed(output)] if os.path.exists(os.path.join(output, BLESSED)) else []
    texts = _texts([release.to_json() for release in [*read_releases(serving), *blessed]])
    return {artifact_key(text) for text in texts if "/" in text}


def remove_leftovers(destinations: Destinations, store: metadata_store.MetadataStore) -> None:
    """Removes what killed runs left, so that each component writes into an empty folder.

    Checkpoints stay: a training goes on from them.

    Args:
        destinations: Where the runs wrote; nobody else writes there now.
        store: Their metadata.

    Raises:
        InputError: The metadata is older than an artifact that is served.
    """
    executions = store.get_executions()
    complete = {e.id for e in executions if e.last_known_state == e.COMPLETE}
    newest = max((e.id for e in executions), default=0)
    released = released_keys(destinations.serving)
    for folder in artifact_folders(destinations.root):
        if folder.execution is None or folder.execution in complete:
            continue
        if folder.key not in released:
            shutil.rmtree(folder.path)
        elif folder.execution > newest:
            raise InputError(
                f"{destinations.metadata}: is older than {folder.path}, which "
                f"{destinations.serving}/release.json names; put the newer file back, or name "
                "another folder"
            )
    remove_system_files(destinations)


def remove_system_files(destinations: Destinations) -> None:
    """Removes what TFX puts aside while it works; nobody may be working."""
    for component in _subfolders(destinations.root):
        shutil.rmtree(os.path.join(destinations.root, component, _SYSTEM), ignore_errors=True)


def mark_deleted(store: metadata_store.MetadataStore, keys: Set[str]) -> None:
    """Marks artifacts as deleted, which TFX then does not take from its cache.

    Args:
        store: ML Metadata.
        keys: Keys of their folders.
    """
    deleted = [artifact for artifact in store.get_artifacts() if artifact_key(artifact.uri) in keys]
    for artifact in deleted:
        artifact.state = metadata_store_pb2.Artifact.DELETED
    if deleted:
        store.put_artifacts(deleted)


def _subfolders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
