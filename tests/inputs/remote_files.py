"""A remote file system that Beam knows: URLs of the scheme `far`, files of a folder behind them."""

import os
import pathlib
from collections.abc import Iterator

from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.filesystem import FileSystem

ROOT: list[pathlib.Path] = []
PREFIX = "far://"


class FarFileSystem(FileSystem):
    """Reads; what writes raises."""

    @classmethod
    def scheme(cls) -> str:
        return "far"

    def join(self, basepath, *paths):
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path):
        return path.rsplit("/", 1)

    def has_dirs(self):
        return False

    def _list(self, dir_or_prefix) -> Iterator[FileMetadata]:
        for path in sorted(ROOT[-1].rglob("*")):
            url = f"{PREFIX}{path.relative_to(ROOT[-1])}"
            if path.is_file() and url.startswith(dir_or_prefix):
                yield FileMetadata(url, path.stat().st_size, 0)

    def open(self, path, mime_type="", compression_type="auto"):
        return open(_local(path), "rb")

    def exists(self, path):
        return _local(path).is_file()

    def size(self, path):
        return os.path.getsize(_local(path))

    def metadata(self, path):
        return FileMetadata(path, self.size(path), 0)

    def last_updated(self, path):
        return 0

    def checksum(self, path):
        raise NotImplementedError

    def mkdirs(self, path):
        raise NotImplementedError

    def create(self, path, mime_type="", compression_type="auto"):
        raise NotImplementedError

    def copy(self, source_file_names, destination_file_names):
        raise NotImplementedError

    def rename(self, source_file_names, destination_file_names):
        raise NotImplementedError

    def delete(self, paths):
        raise NotImplementedError


def _local(path: str) -> pathlib.Path:
    return ROOT[-1] / path.removeprefix(PREFIX)
