"""Fingerprints of files by their content."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.files import FilePath

_CHUNK = 1 << 22
# A file that was changed this recently may change again without a trace in its times.
_SETTLED_NANOSECONDS = 2 * 10**9
# What this process has read.
_KNOWN: dict[str, str] = {}


class Fingerprints:
    """BLAKE2 digests of files, remembered while size, times and inode stay as they are.

    Args:
        memory: File that they are remembered in; None remembers them in this process alone.
    """

    def __init__(self, memory: str | None = None):
        self._memory = memory
        self._known = _KNOWN
        if memory and os.path.exists(memory):
            try:
                with open(memory, encoding="utf-8") as file:
                    self._known.update(json.load(file))
            except ValueError:
                os.remove(memory)  # It saves time and nothing else.

    def record(self, data: DataSet) -> dict[str, Any]:
        """A data set by its files and their content, for `open_recorded`.

        Returns:
            What JSON can hold; equal for equal files of equal content.

        Raises:
            InputError: A file cannot be read.
        """
        files = [
            {
                "path": file.path,
                "partitions": [list(pair) for pair in file.source.partitions],
                "blake2": self._digest(file.path),
            }
            for file in data.files
        ]
        self._save()
        return {"name": data.name, "files": files}

    def open_recorded(self, record: Mapping[str, Any]) -> DataSet:
        """The data set that `record` described.

        Raises:
            InputError: A file cannot be read, or is not as it was.
        """
        paths = []
        for file in record["files"]:
            if self._digest(file["path"]) != file["blake2"]:
                raise InputError(
                    f"{file['path']}: has changed since the run began; start it again."
                )
            partitions = tuple((key, value) for key, value in file["partitions"])
            paths.append(FilePath(file["path"], partitions))
        return DataSet.of_files(record["name"], paths)

    def _digest(self, path: str) -> str:
        key = _state(path)
        if key not in self._known:
            digest = _blake2(path)
            if key is None or key != _state(path):
                return digest
            self._known[key] = digest
        return self._known[key]

    def _save(self) -> None:
        if self._memory is not None:
            write_json(self._memory, self._known)


def _state(path: str) -> str | None:
    """The state of a local file, which changes with it; None where it cannot be known."""
    try:
        stat = os.stat(path)
    except OSError:
        return None  # It is remote, or gone: reading will tell.
    if time.time_ns() - stat.st_mtime_ns < _SETTLED_NANOSECONDS:
        return None
    return json.dumps([path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino])


def _blake2(path: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()
