"""The files that a path, a folder or a pattern names."""

import glob
import os
import re
import stat
import urllib.parse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.contracts.errors import InputError

_PATTERN = re.compile(r"[*?\[]")
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, order=True)
class FilePath:
    """A file of an input.

    Attributes:
        path: Absolute path, or a URL of any scheme that Beam's FileSystems open.
        partitions: Columns of text that hive-style folders `key=value` above the file give, each
            with its value; None is a null.
    """

    path: str
    partitions: tuple[tuple[str, str | None], ...] = ()


def list_files(paths: str | Sequence[str]) -> list[FilePath]:
    """Finds files.

    A folder stands for all files in it and below. Files and folders whose names begin with "_" or
    "." (Spark's `_SUCCESS`, `.crc`, `_temporary`) are left out, unless they are named themselves.

    Args:
        paths: Each a file, a folder, or a pattern: `*`, `?`, `[…]`, and `**` for any number of
            folders. A path that exists is taken as it is, whatever characters it has.

    Returns:
        Each file once, sorted by path.

    Raises:
        InputError: A path names no file, or something that is not a file.

    Example:
        `log/**/*.parquet` finds `log/day=2024-01-01/part-0.parquet`, which has the partition
        ("day", "2024-01-01").
    """
    named = [paths] if isinstance(paths, str) else list(paths)
    if not named or not all(named):
        raise InputError("An input file is named '', expected a path.")
    found: dict[str, FilePath] = {}
    for path in named:
        remote = "://" in path
        files = _remote_files(path) if remote else sorted(_local_files(path))
        if not files:
            exists = not remote and os.path.isdir(path)
            raise InputError(
                f"{path}: holds no Parquet file." if exists else f"{path}: no such file."
            )
        for file in files:
            absolute = file if remote else os.path.abspath(file)
            found.setdefault(absolute, FilePath(absolute, _partitions(file)))
    return sorted(found.values())


def match_remote(pattern: str) -> list[FileMetadata]:
    """Files at a URL, by Beam's FileSystems.

    Args:
        pattern: A URL, with or without wildcards.

    Raises:
        InputError: No installed file system serves the scheme, or it cannot be reached.
    """
    try:
        return FileSystems.match([pattern])[0].metadata_list
    except (ValueError, OSError) as error:
        raise InputError(f"{pattern}: cannot be looked up: {str(error).rstrip('.')}.") from error


def _local_files(path: str) -> Iterator[str]:
    if os.path.lexists(path) or not _PATTERN.search(path):
        yield from _expand(path)
        return
    for match in glob.iglob(path, recursive=True):
        if not _is_hidden(match, path):
            yield from _expand(match)


def _expand(path: str) -> Iterator[str]:
    """A file, or those below a folder."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    if stat.S_ISREG(mode):
        yield path
    elif stat.S_ISDIR(mode):
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
        for name in names:
            if not _hides(name):
                yield from _expand(os.path.join(path, name))
    else:
        raise InputError(f"{path}: is neither a file nor a folder, expected Parquet files.")


def _remote_files(path: str) -> list[str]:
    path = path.rstrip("/")
    files = [match.path for match in match_remote(path)]
    if not files and not _PATTERN.search(path):
        files = [match.path for match in match_remote(f"{path}/**")]
    return sorted(file for file in files if not _is_hidden(file, path) and not file.endswith("/"))


def _is_hidden(path: str, named: str) -> bool:
    """Whether a part of a path is hidden that was not named as it is."""
    literal = set(re.split(r"[/\\]", named))
    return any(_hides(name) and name not in literal for name in re.split(r"[/\\]", path))


def _hides(name: str) -> bool:
    return name not in (".", "..") and name[:1] in ("_", ".") and "=" not in name


def _partitions(path: str) -> tuple[tuple[str, str | None], ...]:
    return tuple(_split(os.path.dirname(path).split("/")))


def _split(folders: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    for folder in folders:
        key, separator, value = folder.partition("=")
        if key and separator:
            value = urllib.parse.unquote(value)
            yield urllib.parse.unquote(key), None if value == _HIVE_NULL else value
