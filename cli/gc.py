"""`sid gc`: removal of artifacts that no kept run needs."""

import os
import shutil
from typing import Any

import rich.console
from ml_metadata import metadata_store

from semantic_id_ranking.components.releaser.published_spaces import needed_spaces
from semantic_id_ranking.components.releaser.published_spaces import published_spaces
from semantic_id_ranking.components.releaser.published_spaces import write_published
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import released_rankers
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.artifact_folder import artifact_folders
from semantic_id_ranking.pipeline.artifact_folder import artifact_key
from semantic_id_ranking.pipeline.artifact_folder import mark_deleted
from semantic_id_ranking.pipeline.artifact_folder import released_keys
from semantic_id_ranking.pipeline.artifact_folder import remove_system_files
from semantic_id_ranking.pipeline.days.ledger import needed_artifacts
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.output_folder import require_folder_name
from semantic_id_ranking.pipeline.output_folder import require_own_metadata
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.pipeline.run_records import finished_runs
from semantic_id_ranking.pipeline.run_records import open_metadata


def gc(output: str, keep: int, console: rich.console.Console) -> dict[str, Any]:
    """Removes the artifacts that neither the newest runs, the served models nor the next day need.

    What killed runs left goes, too: half artifacts, checkpoints, temporary files. A later run
    makes anew what it needs of all this. A SID space that a release put into the store leaves it
    when no version reads it that is in the folder of the models, rolled back or not.

    Args:
        output: Output folder of runs.
        keep: Finished runs that are kept, the newest ones.
        console: Where to say what was removed.

    Returns:
        The same, for `--json`: `kept_runs`, ids, oldest first; `removed_artifacts`;
        `removed_bytes`; `removed_spaces`, fingerprints.

    Raises:
        InputError: A run is in progress there, none has finished, or the store does not answer.
    """
    require_folder_name(output, "DIR")
    destinations = Destinations.under(os.path.abspath(output))
    if not os.path.isfile(destinations.metadata):
        raise InputError(f"{output}: holds no run; sid gc needs the output folder of sid run")
    with output_lock(output, "sid gc"):
        require_own_metadata(destinations)
        store = open_metadata(destinations.metadata)
        runs = finished_runs(store)[-keep:]
        if not runs:
            raise InputError(f"{output}: no run has finished there; nothing was removed")
        needed = released_keys(destinations.serving)
        releases = read_releases(destinations.serving)
        rankers = released_rankers(destinations.serving)
        replay = releases[0].replay if releases else 1
        folders = needed_artifacts(output, rankers, replay)
        needed |= {artifact_key(folder) for folder in folders}
        for run in runs:
            needed |= _keys_of_run(store, run.id)
        surplus = [f for f in artifact_folders(destinations.root) if f.key not in needed]
        size = sum(_size(folder.path) for folder in surplus)
        spaces = _drop_unread_spaces(destinations.serving)
        # In this order: a half removed artifact must not come from the cache.
        mark_deleted(store, {folder.key for folder in surplus})
        for folder in surplus:
            shutil.rmtree(folder.path)
        remove_system_files(destinations)
        shutil.rmtree(destinations.temporary, ignore_errors=True)
    console.print(
        f"kept what {len(runs)} finished runs and the served models need, the oldest of "
        f"{runs[0].name}; removed {len(surplus)} artifacts, {size / 1e6:.1f} MB"
        + (f", and from the store {len(spaces)} SID spaces" if spaces else ""),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return {
        "kept_runs": [run.name for run in runs],
        "removed_artifacts": len(surplus),
        "removed_bytes": size,
        "removed_spaces": spaces,
    }


def _drop_unread_spaces(serving: str) -> list[str]:
    """Removes from the store of the newest release what releases put there and nobody reads."""
    unread = published_spaces(serving) - needed_spaces(serving)
    releases = read_releases(serving)
    if not unread or not releases or releases[0].store is None:
        return []
    # Loads Beam, which takes a second.
    from semantic_id_ranking.components.releaser.publish_sids import drop_spaces

    dropped = drop_spaces(releases[0].store, unread)
    write_published(serving, published_spaces(serving) - unread)
    return sorted(dropped)


def _keys_of_run(store: metadata_store.MetadataStore, run: int) -> set[str]:
    """Keys of what a run read, wrote or took from the cache."""
    executions = [execution.id for execution in store.get_executions_by_context(run)]
    artifacts = {event.artifact_id for event in store.get_events_by_execution_ids(executions)}
    return {artifact_key(artifact.uri) for artifact in store.get_artifacts_by_id(artifacts)}


def _size(path: str) -> int:
    """Bytes of the files below a folder."""
    return sum(
        os.lstat(os.path.join(folder, name)).st_size
        for folder, _, names in os.walk(path)
        for name in names
    )
