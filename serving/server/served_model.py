"""Versions of one model: on disk, served, and their states."""

import gc
import logging
import os
import threading
import weakref
from collections.abc import Mapping
from typing import TypeAlias

import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import status_pb2

from semantic_id_ranking.contracts.version_folders import version_folders
from semantic_id_ranking.serving.server.model_config import ModelConfig
from semantic_id_ranking.serving.server.servable import Servable
from semantic_id_ranking.serving.server.status import StatusError
from semantic_id_ranking.serving.server.version_policy import aspired_versions
from semantic_id_ranking.serving.server.version_policy import ServableVersionPolicy
from semantic_id_ranking.serving.server.warmup import warm_up

ModelVersionStatus: TypeAlias = get_model_status_pb2.ModelVersionStatus

_log = logging.getLogger(__name__)


class ServedModel:
    """Keeps what is served in step with what is on disk.

    New versions are loaded before old ones are let go. What is served stays served as long as no
    version that the policy asks for could be loaded (TensorFlow Serving's
    AvailabilityPreservingPolicy). Where a version fails to load, the newest one before it replaces
    it under the policy `latest`, also at the start, when TensorFlow Serving would serve none; it
    is tried again when its files change.

    Readers take no lock: they see the versions before a switch or those after it, and a request
    that holds an unloaded version keeps it alive until it is answered.

    Attributes:
        name: Name of the model.
        base_path: Directory of version directories.

    Args:
        name: Name of the model, which serves nothing until it is configured.
        strict_shapes: Whether its signatures refuse shapes other than they declare.
    """

    def __init__(self, name: str, strict_shapes: bool = False):
        self.name = name
        self._strict_shapes = strict_shapes
        self.base_path = ""
        self._policy: ServableVersionPolicy | None = None
        self._servables: Mapping[int, Servable] = {}
        self._statuses: dict[int, ModelVersionStatus] = {}
        self._failed: dict[int, frozenset] = {}
        self._garbage = False
        self._refresh_lock = threading.Lock()

    def servable(self, version: int | None = None) -> Servable | None:
        """Finds a loaded version: the one asked for, or else the newest."""
        servables = self._servables
        return servables.get(max(servables, default=-1) if version is None else version)

    def statuses(self) -> list[ModelVersionStatus]:
        """The state of every version that was ever to be served, newest first."""
        statuses = dict(self._statuses)
        return [statuses[version] for version in sorted(statuses, reverse=True)]

    def configure(self, config: ModelConfig | None) -> None:
        """Changes what is to be served, and serves it.

        Args:
            config: Base path and version policy; None lets go of every version.
        """
        with self._refresh_lock:
            self._policy = config.model_version_policy if config else None
            self.base_path = config.base_path if config else self.base_path
        self.refresh(self.look())

    def look(self) -> Mapping[int, str] | None:
        """Looks for versions on the disk; those that are to be loaded say START from now on.

        Returns:
            The folder of each; None where the disk fails.
        """
        with self._refresh_lock:
            try:
                paths = {} if self._policy is None else version_folders(self.base_path)
            except OSError as error:
                _log.error("Model %s: nothing changes, %s", self.name, error)
                return None
            for version in self._wanted(paths):
                if version not in self._servables:
                    self._set_status(version, ModelVersionStatus.START)
            return paths

    def refresh(self, paths: Mapping[int, str] | None) -> None:
        """Loads what has come, then lets go of what has gone.

        Where the disk fails, everything stays as it is.

        Args:
            paths: What `look` found.
        """
        if paths is None:
            return
        with self._refresh_lock:
            try:
                self._refresh(paths)
            except OSError as error:
                _log.error("Model %s: nothing changes, %s", self.name, error)
            if self._garbage:
                # TensorFlow's graphs hold themselves and the variables they use in circles, which
                # the collector breaks far too late of its own accord: a version's tables stay in
                # memory. It costs a pause of some tenths of a second.
                self._garbage = False
                gc.collect()

    def _refresh(self, paths: Mapping[int, str]) -> None:
        self._failed = {
            version: files
            for version, files in self._failed.items()
            if version in paths and files == _files(paths[version])
        }
        available = dict(self._servables)
        wanted = self._wanted(paths)
        while new := [version for version in wanted if version not in available]:
            for version in new:
                self._set_status(version, ModelVersionStatus.START)
            loaded = {version: self._load(version, paths[version]) for version in new}
            available |= {version: servable for version, servable in loaded.items() if servable}
            # The versions that the policy asks for next, instead of those that failed.
            wanted = self._wanted(paths)
        if wanted or not paths or not aspired_versions(paths, self._policy):
            self._switch({version: available[version] for version in wanted})

    def _wanted(self, paths: Mapping[int, str]) -> list[int]:
        """The versions that the policy asks for, as if those that failed were not there."""
        if self._policy is None:
            return []
        return aspired_versions(paths.keys() - self._failed.keys(), self._policy)

    def _load(self, version: int, path: str) -> Servable | None:
        files = _files(path)
        self._set_status(version, ModelVersionStatus.LOADING)
        try:
            servable = Servable(self.name, version, path, self._strict_shapes)
            warm_up(servable, path)
            return servable
        except Exception as error:  # Whatever a broken SavedModel raises, the others stay served.
            reason = " ".join(str(error).split())
            _log.error("Model %s version %d does not load: %s", self.name, version, reason)
            self._failed[version] = files
            self._set_status(version, ModelVersionStatus.END, _error_code(error), str(error))
            return None

    def _switch(self, servables: dict[int, Servable]) -> None:
        before, self._servables = self._servables, servables
        for version in servables.keys() - before.keys():
            self._set_status(version, ModelVersionStatus.AVAILABLE)
            _log.info("Model %s version %d is served", self.name, version)
        for version in before.keys() - servables.keys():
            self._set_status(version, ModelVersionStatus.UNLOADING)
            # Requests in progress still hold it.
            weakref.finalize(before[version], self._end, version).atexit = False

    def _end(self, version: int) -> None:
        self._garbage = True
        if self._statuses[version].state == ModelVersionStatus.UNLOADING:
            self._set_status(version, ModelVersionStatus.END)
            _log.info("Model %s version %d is unloaded", self.name, version)

    def _set_status(self, version: int, state: int, code: int = 0, message: str = "") -> None:
        self._statuses[version] = ModelVersionStatus(
            version=version,
            state=state,
            status=status_pb2.StatusProto(error_code=code, error_message=message),
        )


def _files(path: str) -> frozenset:
    """The files of a directory: names, sizes and times of change."""
    return frozenset(
        (file, stat.st_size, stat.st_mtime_ns)
        for directory, _, names in os.walk(path)
        for file in (os.path.join(directory, name) for name in names)
        for stat in (os.stat(file),)
    )


def _error_code(error: Exception) -> int:
    if isinstance(error, tf.errors.OpError):
        return error.error_code
    if isinstance(error, StatusError):
        return error.code.value[0]
    return tf.errors.NOT_FOUND if isinstance(error, OSError) else tf.errors.INTERNAL
