"""A release: Semantic IDs to the store, both models into the folder that a server watches."""

import contextlib
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass

from semantic_id_ranking.components.releaser.encoder_versions import encoder_of
from semantic_id_ranking.components.releaser.encoder_versions import superfluous_encoders
from semantic_id_ranking.components.releaser.journal import commit
from semantic_id_ranking.components.releaser.journal import Journal
from semantic_id_ranking.components.releaser.journal import recover
from semantic_id_ranking.components.releaser.publish_sids import publish_sids
from semantic_id_ranking.components.releaser.release import ENCODER
from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.components.releaser.require_releasable import require_one_space
from semantic_id_ranking.components.releaser.require_releasable import require_releasable
from semantic_id_ranking.components.releaser.version_folder import VersionFolder


@dataclass(frozen=True)
class Outcome:
    """What a release came to.

    Attributes:
        versions: Version of each model, by name.
        pushed: Names of the models of which it is new.
    """

    versions: Mapping[str, int]
    pushed: frozenset[str]


def earlier_release(serving: str, release: Release) -> Mapping[str, int] | None:
    """Versions of a ranker that was released before, and has been followed or rolled back since.

    Args:
        serving: Folder of the models' base folders.
        release: Its models.

    Returns:
        The version of each model that is still there; None of a ranker that is new, or is served.
    """
    output = os.path.dirname(serving)
    folders = {name: VersionFolder(os.path.join(serving, name)) for name in release.models}
    found = {}
    for name, folder in folders.items():
        model = os.path.join(output, release.models[name])
        version = folder.find(model)
        found[name] = folder.find_aside(model) if version is None else version
    ranker = found[RANKER]
    if ranker is None or folders[RANKER].versions()[-1:] == [ranker]:
        return None
    return {name: version for name, version in found.items() if version is not None}


def renew_store(serving: str, release: Release) -> None:
    """Puts Semantic IDs, counters and users into the store for the ranker that is served.

    So it knows of the days that were accepted since, whether their rankers were released or not.
    Nothing happens where none is served, or one of another SID space.

    Args:
        serving: Folder of the models' base folders, within the output folder of the run.
        release: A release that does not happen; its configuration says where the store is.

    Raises:
        InputError: A table is wrong, or the store does not answer.
    """
    served = read_releases(serving)
    if served and served[0].fingerprint == release.fingerprint:
        _fill_store(serving, release)


def release_models(serving: str, release: Release) -> Outcome:
    """Releases the models of a run.

    First what they need gets into the store, then both are copied beside the versions, loaded and
    called; then they are renamed, the encoder first, and `release.json` follows. What was served
    stays served until then, whatever fails, and a process that is killed leaves the old release or,
    for `recover`, the new one. A model that is a version already is not copied.

    Args:
        serving: Folder of the models' base folders, within the output folder of the run.
        release: Its models and Semantic IDs; its configuration says where the store is.

    Raises:
        InputError: A model is damaged or does not answer, the models and Semantic IDs are of two
            SID spaces, or the store does not answer.
    """
    recover(serving)
    output = os.path.dirname(serving)
    models = {name: os.path.join(output, release.models[name]) for name in (ENCODER, RANKER)}
    semantic_ids = os.path.join(output, release.semantic_ids)
    require_one_space(models, semantic_ids if release.store else None)
    _fill_store(serving, release)
    rankers, encoders = (VersionFolder(os.path.join(serving, name)) for name in (RANKER, ENCODER))
    with contextlib.ExitStack() as stack:
        # An encoder that is served already stays where it is: to renumber it would unload it.
        encoder_path, encoder = _located(models[ENCODER], encoders, stack)
        ranker_path, ranker = _located(models[RANKER], rankers, stack)
        if ranker != max(rankers.versions(), default=None):
            ranker = None  # It becomes the newest under another number.
        require_releasable(models, {ENCODER: encoder_path, RANKER: ranker_path})
        served = encoder_of(encoders, _newest_space(rankers))
        moves = [
            (encoders.version_path(version), encoders.aside_path(version))
            for version in superfluous_encoders(encoders, served, encoder)
        ]
        pushed = set()
        if encoder is None:
            encoder = encoders.next_version(int(time.time()))
            moves.append((encoder_path, encoders.version_path(encoder)))
            pushed.add(ENCODER)
        if ranker is None:
            ranker = rankers.next_version(int(time.time()))
            moves.append((ranker_path, rankers.version_path(ranker)))
            pushed.add(RANKER)
        versions = {RANKER: ranker, ENCODER: encoder}
        # Nobody waits for an encoder to go with the first ranker.
        seconds = release.load_seconds if len(pushed) == len(versions) and served else 0.0
        described = release.with_versions(versions)
        commit(serving, Journal.of(serving, moves, described, release.keep_versions, seconds))
    return Outcome(versions, frozenset(pushed))


def _fill_store(serving: str, release: Release) -> None:
    if release.store:
        output = os.path.dirname(serving)
        state = os.path.join(output, release.state) if release.counters else None
        publish_sids(serving, os.path.join(output, release.semantic_ids), release.store, state)


def _newest_space(rankers: VersionFolder) -> str | None:
    versions = rankers.versions()
    return rankers.fingerprint(versions[-1]) if versions else None


def _located(
    model: str, folder: VersionFolder, stack: contextlib.ExitStack
) -> tuple[str, int | None]:
    """A model on the file system of the versions, and its number, if it is a version.

    It is a version, one that was set aside, or else a copy in a folder that the stack removes.
    """
    version = folder.find(model)
    if version is not None:
        return folder.version_path(version), version
    aside = folder.find_aside(model)
    if aside is not None:
        return folder.aside_path(aside), None
    copy = os.path.join(stack.enter_context(folder.staging()), "copy")
    shutil.copytree(model, copy)
    return copy, None
