"""A release into an object store (`gs://…`), which renames nothing."""

import json
import os
import time

from tfx.dsl.io import fileio
from tfx.utils import io_utils

from semantic_id_ranking.components.releaser.publish_sids import publish_sids
from semantic_id_ranking.components.releaser.release import ENCODER
from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.components.releaser.release_models import Outcome
from semantic_id_ranking.components.releaser.require_releasable import require_one_space
from semantic_id_ranking.components.releaser.require_releasable import require_releasable
from semantic_id_ranking.contracts.file_digests import DIGESTS_FILE
from semantic_id_ranking.contracts.file_digests import read_file_digests
from semantic_id_ranking.contracts.version_folders import RELEASE

_SAVED_MODEL = "saved_model.pb"


def release_into_object_store(serving: str, release: Release) -> Outcome:
    """Releases the models of a run, in the order of `release_models`, but file by file.

    Model servers take a version once it has its `saved_model.pb`, which is copied last. A release
    that is interrupted is begun anew by the next one, and older versions are left to the store's
    own rules.

    Args:
        serving: Folder of the models' base folders.
        release: Its models and Semantic IDs.

    Raises:
        InputError: As of `release_models`.
    """
    output = os.path.dirname(serving)
    models = {name: os.path.join(output, release.models[name]) for name in (ENCODER, RANKER)}
    semantic_ids = os.path.join(output, release.semantic_ids)
    require_one_space(models, semantic_ids if release.store else None)
    if release.store:
        state = os.path.join(output, release.state) if release.counters else None
        publish_sids(None, semantic_ids, release.store, state)
    require_releasable(models, models)
    versions, pushed = {}, set()
    for name, model in models.items():
        base = os.path.join(serving, name)
        found = _versions(base)
        version = _find(base, found, model)
        if version is None:
            version = max([int(time.time()), *(number + 1 for number in found)])
            target = os.path.join(base, str(version))
            io_utils.copy_dir(model, target, deny_regex_patterns=[r"saved_model\.pb"])
            source = os.path.join(model, _SAVED_MODEL)
            io_utils.copy_file(source, os.path.join(target, _SAVED_MODEL))
            pushed.add(name)
        versions[name] = version
    content = release.with_versions(dict(sorted(versions.items()))).to_json()
    with fileio.open(os.path.join(serving, RELEASE), "w") as file:
        file.write(json.dumps({**content, "before": []}, indent=2))
    return Outcome(versions, frozenset(pushed))


def _versions(base: str) -> list[int]:
    """The versions that are whole, and those that an interrupted copy left."""
    if not fileio.exists(base):
        return []
    names = (name.rstrip("/") for name in fileio.listdir(base))
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def _find(base: str, versions: list[int], model: str) -> int | None:
    """The newest whole version that is a copy of an exported model."""
    wanted = read_file_digests(model)
    for version in reversed(versions):
        path = os.path.join(base, str(version))
        digests = os.path.join(path, DIGESTS_FILE)
        if fileio.exists(os.path.join(path, _SAVED_MODEL)) and fileio.exists(digests):
            with fileio.open(digests, "rb") as file:
                if file.read() == wanted:
                    return version
    return None
