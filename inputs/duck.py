"""DuckDB, set up to read Parquet and nothing else."""

import datetime
import functools
import glob
import tempfile

import duckdb
import fsspec
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.inputs.files import match_remote

_SETTINGS = {
    # No code from elsewhere.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # A geometry is bytes, which nobody configures.
    "enable_geoparquet_conversion": "false",
    # Batches then come in the order of the file's rows, and workers do not share their cores.
    "threads": "1",
    "TimeZone": "UTC",
}


class BeamFileSystem(fsspec.AbstractFileSystem):
    """Remote files for DuckDB, opened as Beam's workers open them, with the same credentials."""

    cachable = False

    def __init__(self, scheme: str):
        super().__init__()
        self.protocol = scheme

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def open(self, path: str, mode: str = "rb", **options: object) -> object:
        """Opens a file to be read."""
        del mode, options
        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)

    def info(self, path: str, **options: object) -> dict[str, object]:
        """Size in bytes and name of a file."""
        del options
        (match,) = match_remote(path)
        return {"name": path, "size": match.size_in_bytes, "type": "file"}

    def modified(self, path: str) -> datetime.datetime:
        """Time of change of a file."""
        (match,) = match_remote(path)
        return datetime.datetime.fromtimestamp(
            match.last_updated_in_seconds or 0, datetime.timezone.utc
        )

    def glob(self, path: str, **options: object) -> list[str]:
        """The path itself: patterns are resolved before."""
        del options
        return [path]


@functools.cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name, value in _SETTINGS.items():
        connection.execute(f"SET {name} = '{value}'")
    # A database in memory would spill into the working directory.
    connection.execute(f"SET temp_directory = {literal(tempfile.gettempdir())}")
    return connection


@functools.cache
def _serve(scheme: str) -> None:
    _connection().register_filesystem(BeamFileSystem(scheme))


def cursor(path: str) -> duckdb.DuckDBPyConnection:
    """A connection of its own, on which a query of a file can be streamed.

    Args:
        path: The file; its file system is made known to DuckDB.
    """
    scheme, remote, _ = path.partition("://")
    if remote:
        _serve(scheme)
    return _connection().cursor()


def literal(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def file_literal(path: str) -> str:
    """A path as a literal that DuckDB does not take for a pattern."""
    return literal(path if "://" in path else glob.escape(path))
