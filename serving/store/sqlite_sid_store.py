"""Semantic IDs in a SQLite file."""

import contextlib
import json
import os
import pathlib
import sqlite3
import threading
import time
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store.checkpoint import Checkpoint
from semantic_id_ranking.serving.store.errors import StoreError
from semantic_id_ranking.serving.store.sid_store import COUNTER
from semantic_id_ranking.serving.store.sid_store import MOMENT
from semantic_id_ranking.serving.store.sid_store import SID
from semantic_id_ranking.serving.store.sid_store import SidStore
from semantic_id_ranking.serving.store.sid_store import USER

_CACHE_KIB = 64 * 1024
_MAGIC = b"SQLite format 3\0"
# Between two attempts to turn the write-ahead log on.
_LOCKED_SECONDS = 0.01
_SPACE_TABLE = """
CREATE TABLE IF NOT EXISTS space (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    levels INTEGER NOT NULL,
    codebook_size INTEGER NOT NULL,
    source TEXT,
    rows INTEGER
)
"""
# Kind -> names of the columns of its table, which has the kind's name: key and value. All but that
# of Semantic IDs are made at their first use.
_COLUMNS = {
    SID: ("item_id", "codes"),
    COUNTER: ("item_id", "counts"),
    USER: ("user_id", "record"),
    MOMENT: ("name", "content"),
}
_KIND_TABLE = """
CREATE TABLE IF NOT EXISTS {0} (
    space INTEGER NOT NULL REFERENCES space (id),
    {1} TEXT NOT NULL,
    {2} BLOB NOT NULL,
    PRIMARY KEY (space, {1})
) WITHOUT ROWID
"""


class SqliteSidStore(SidStore):
    """A file that one process at a time writes and any number read, on one machine.

    A file that is empty, or has no tables yet because the process that made it was killed or its
    disk was full, holds no space; `add_space` completes it.

    Args:
        path: The file; the first `add_space` makes it.
        timeout: Seconds to wait for another process that writes.
    """

    # A transaction writes a page once, however many of its items are new.
    batch_items = 50_000

    def __init__(self, path: str, timeout: float = 5.0):
        super().__init__(f"sqlite:///{path}")
        self._path = path
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def spaces(self) -> Mapping[str, SidSpace]:
        """The SID spaces that the file holds, by fingerprint; none where there is no file."""
        if not self._has_tables():
            return {}
        rows = self._rows("SELECT fingerprint, levels, codebook_size FROM space")
        return {row[0]: SidSpace(*row) for row in rows}

    def checkpoint(self, fingerprint: str) -> Checkpoint | None:
        """The last checkpoint of a space; None where there is none."""
        if not self._has_tables():
            return None
        rows = self._rows("SELECT source, rows FROM space WHERE fingerprint = ?", fingerprint)
        return Checkpoint(*rows[0]) if rows and rows[0][0] is not None else None

    def keep_users(self, fingerprint: str, kept: Collection[str]) -> None:
        """Removes the records of all users of a space but these."""
        with self._transaction() as connection:
            _make_table(connection, USER)
            connection.execute(
                "DELETE FROM user WHERE space = (SELECT id FROM space WHERE fingerprint = ?) "
                "AND user_id NOT IN (SELECT value FROM json_each(?))",
                [fingerprint, json.dumps(list(kept))],
            )

    def drop(self, fingerprint: str) -> None:
        """Removes a space with all that it holds; nothing happens where there is none."""
        if not self._has_tables():
            return
        with self._transaction() as connection:
            for kind in _COLUMNS:
                _make_table(connection, kind)
                connection.execute(
                    f"DELETE FROM {kind} WHERE space = "
                    "(SELECT id FROM space WHERE fingerprint = ?)",
                    [fingerprint],
                )
            connection.execute("DELETE FROM space WHERE fingerprint = ?", [fingerprint])

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._disconnect()

    def _add_space(self, space: SidSpace) -> None:
        os.makedirs(os.path.dirname(os.path.abspath(self._path)), exist_ok=True)
        with self._transaction(mode="rwc") as connection:
            connection.execute(_SPACE_TABLE)
            _make_table(connection, SID)
            connection.execute(
                "INSERT OR IGNORE INTO space (fingerprint, levels, codebook_size) VALUES (?, ?, ?)",
                [space.fingerprint, space.levels, space.codebook_size],
            )

    def _write(
        self,
        fingerprint: str,
        values: Mapping[str, Mapping[str, bytes]],
        checkpoint: Checkpoint | None = None,
        continues: bool = False,
    ) -> None:
        with self._transaction() as connection:
            found = connection.execute(
                "SELECT id, source, rows FROM space WHERE fingerprint = ?", [fingerprint]
            ).fetchone()
            if found is None:
                raise StoreError(f"{self.name}: SID space {fingerprint} was removed meanwhile")
            space, *held = found
            if continues and checkpoint is not None:
                self._require_same_batch(fingerprint, Checkpoint(*held), checkpoint)
            for kind, by_key in values.items():
                key, value = _COLUMNS[kind]
                _make_table(connection, kind)
                # In the order of the keys, neighbours meet in the same page.
                connection.executemany(
                    f"INSERT INTO {kind} VALUES (?, ?, ?) "
                    f"ON CONFLICT (space, {key}) DO UPDATE SET {value} = excluded.{value}",
                    [(space, *pair) for pair in sorted(by_key.items())],
                )
            if checkpoint:
                connection.execute(
                    "UPDATE space SET source = ?, rows = ? WHERE id = ?",
                    [checkpoint.source, checkpoint.rows, space],
                )

    def _read(
        self, fingerprint: str, keys: Sequence[tuple[str, Sequence[str]]]
    ) -> tuple[SidSpace | None, Sequence[Sequence[bytes | None]]]:
        nothing: list[list[bytes | None]] = [[None] * len(wanted) for _, wanted in keys]
        if not self._has_tables():
            return None, nothing
        # One transaction reads what no other one changes meanwhile.
        with self._transaction(begin="BEGIN") as connection:
            row = connection.execute(
                "SELECT id, fingerprint, levels, codebook_size FROM space WHERE fingerprint = ?",
                [fingerprint],
            ).fetchone()
            if row is None:
                return None, nothing
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            held = {name for (name,) in tables}
            values = [
                _values(connection, row[0], kind, wanted) if kind in held and wanted else empty
                for (kind, wanted), empty in zip(keys, nothing, strict=True)
            ]
            return SidSpace(*row[1:]), values

    def _count(self, fingerprint: str, kind: str) -> int:
        if not self._has_tables(kind):
            return 0
        ((count,),) = self._rows(
            f"SELECT COUNT(*) FROM {kind} JOIN space ON space = id WHERE fingerprint = ?",
            fingerprint,
        )
        return int(count)

    def _has_tables(self, name: str = "space") -> bool:
        if not os.path.exists(self._path) or not os.path.getsize(self._path):
            return False
        return bool(self._rows("SELECT 1 FROM sqlite_master WHERE name = ?", name))

    def _rows(self, query: str, *parameters: str) -> list[tuple[Any, ...]]:
        with self._connected() as connection:
            return connection.execute(query, parameters).fetchall()

    @contextlib.contextmanager
    def _transaction(
        self, mode: str = "rw", begin: str = "BEGIN IMMEDIATE"
    ) -> Iterator[sqlite3.Connection]:
        with self._connected(mode) as connection:
            connection.execute(begin)
            with connection:
                yield connection

    @contextlib.contextmanager
    def _connected(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect(mode)
                yield self._connection
            except sqlite3.Error as error:
                # Whatever state a failed statement left, such as of a full disk, ends with it.
                self._disconnect()
                raise StoreError(f"{self.name}: {error}{_advice(error)}") from error

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _connect(self, mode: str) -> sqlite3.Connection:
        self._require_database()
        connection = sqlite3.connect(
            f"{pathlib.Path(self._path).absolute().as_uri()}?mode={mode}",
            self._timeout,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        try:
            # Readers go on while a batch is written, and a killed process leaves whole
            # transactions.
            self._use_write_ahead_log(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _require_database(self) -> None:
        """Refuses a file of something else; SQLite would take a short one for an empty one."""
        with contextlib.suppress(FileNotFoundError), open(self._path, "rb") as file:
            if file.read(len(_MAGIC)) not in (b"", _MAGIC):
                raise sqlite3.DatabaseError("file is not a database")

    def _use_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        """Turns the log on; for this alone SQLite does not wait for other processes.

        tenacity would need the same four facts (what is tried again, until when, after how long,
        and that the last error is raised), and be one more requirement of every client.
        """
        end = time.monotonic() + self._timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(_LOCKED_SECONDS)


def _make_table(connection: sqlite3.Connection, kind: str) -> None:
    connection.execute(_KIND_TABLE.format(kind, *_COLUMNS[kind]))


def _values(
    connection: sqlite3.Connection, space: int, kind: str, keys: Sequence[str]
) -> list[bytes | None]:
    """The value of each key, or None."""
    key, value = _COLUMNS[kind]
    # As JSON, any number of keys is one parameter of one prepared statement.
    found: dict[str, bytes] = dict(
        connection.execute(
            f"SELECT {key}, {value} FROM {kind} WHERE space = ? "
            f"AND {key} IN (SELECT value FROM json_each(?))",
            [space, json.dumps(list(keys))],
        )
    )
    return [found.get(one) for one in keys]


def _advice(error: sqlite3.Error) -> str:
    if "not a database" in str(error) or "malformed" in str(error):
        return "; it stays as it is: name another file, or move this one away"
    return ""
