"""Semantic IDs in a SQLite file."""

import contextlib
import json
import operator
import os
import pathlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store.checkpoint import Checkpoint
from semantic_id_ranking.serving.store.errors import StoreError
from semantic_id_ranking.serving.store.sid_store import SidStore

_ITEM_ID = operator.itemgetter(0)
_CACHE_KIB = 64 * 1024
_MAGIC = b"SQLite format 3\0"
# Between two attempts to turn the write-ahead log on.
_LOCKED_SECONDS = 0.01
_TABLES = """
CREATE TABLE IF NOT EXISTS space (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    levels INTEGER NOT NULL,
    codebook_size INTEGER NOT NULL,
    source TEXT,
    rows INTEGER
);
CREATE TABLE IF NOT EXISTS sid (
    space INTEGER NOT NULL REFERENCES space (id),
    item_id TEXT NOT NULL,
    codes BLOB NOT NULL,
    PRIMARY KEY (space, item_id)
) WITHOUT ROWID;
"""
# Made by the first counters; a table `user` of the same form is kept for the records of users.
_COUNTERS_TABLE = """
CREATE TABLE IF NOT EXISTS counter (
    space INTEGER NOT NULL REFERENCES space (id),
    item_id TEXT NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (space, item_id)
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

    def count(self, fingerprint: str) -> int:
        """Number of items that have a Semantic ID of a space."""
        if not self._has_tables():
            return 0
        ((count,),) = self._rows(
            "SELECT COUNT(*) FROM sid JOIN space ON space = id WHERE fingerprint = ?", fingerprint
        )
        return int(count)

    def drop(self, fingerprint: str) -> None:
        """Removes a space with all that it holds; nothing happens where there is none."""
        if not self._has_tables():
            return
        with self._transaction() as connection:
            connection.execute(_COUNTERS_TABLE)
            for table in ("sid", "counter"):
                connection.execute(
                    f"DELETE FROM {table} WHERE space = "
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
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(
                "INSERT OR IGNORE INTO space (fingerprint, levels, codebook_size) VALUES (?, ?, ?)",
                [space.fingerprint, space.levels, space.codebook_size],
            )

    def _put(
        self,
        fingerprint: str,
        item_ids: Sequence[str],
        values: Sequence[bytes],
        checkpoint: Checkpoint | None,
        continues: bool,
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
            # In the order of the keys, neighbours meet in the same page.
            pairs = sorted(zip(item_ids, values, strict=True), key=_ITEM_ID)
            connection.executemany(
                "INSERT INTO sid VALUES (?, ?, ?) "
                "ON CONFLICT (space, item_id) DO UPDATE SET codes = excluded.codes",
                [(space, *pair) for pair in pairs],
            )
            if checkpoint:
                connection.execute(
                    "UPDATE space SET source = ?, rows = ? WHERE id = ?",
                    [checkpoint.source, checkpoint.rows, space],
                )

    def _get(
        self, fingerprint: str, item_ids: Sequence[str]
    ) -> tuple[SidSpace | None, Sequence[bytes | None]]:
        space = self.spaces().get(fingerprint)
        if space is None or not item_ids:
            return space, []
        return space, self._values("sid", "codes", fingerprint, item_ids)

    def _get_items(
        self, fingerprint: str, item_ids: Sequence[str]
    ) -> tuple[SidSpace | None, Sequence[bytes | None], Sequence[bytes | None]]:
        space, sids = self._get(fingerprint, item_ids)
        if not sids or not self._has_tables("counter"):
            return space, sids, [None] * len(sids)
        return space, sids, self._values("counter", "counts", fingerprint, item_ids)

    def _put_counters(
        self, fingerprint: str, item_ids: Sequence[str], values: Sequence[bytes]
    ) -> None:
        pairs = sorted(zip(item_ids, values, strict=True), key=_ITEM_ID)
        with self._transaction() as connection:
            connection.execute(_COUNTERS_TABLE)
            connection.executemany(
                "INSERT INTO counter SELECT id, ?, ? FROM space WHERE fingerprint = ? "
                "ON CONFLICT (space, item_id) DO UPDATE SET counts = excluded.counts",
                [(*pair, fingerprint) for pair in pairs],
            )

    def _values(
        self, table: str, column: str, fingerprint: str, item_ids: Sequence[str]
    ) -> list[bytes | None]:
        """The value of each item in a table, or None."""
        # As JSON, any number of items is one parameter of one prepared statement.
        found: dict[str, bytes] = dict(
            self._rows(
                f"SELECT item_id, {column} FROM {table} "
                "WHERE space = (SELECT id FROM space WHERE fingerprint = ?) "
                "AND item_id IN (SELECT value FROM json_each(?))",
                fingerprint,
                json.dumps(item_ids),
            )
        )
        return [found.get(item) for item in item_ids]

    def _has_tables(self, name: str = "space") -> bool:
        if not os.path.exists(self._path) or not os.path.getsize(self._path):
            return False
        return bool(self._rows("SELECT 1 FROM sqlite_master WHERE name = ?", name))

    def _rows(self, query: str, *parameters: str) -> list[tuple[Any, ...]]:
        with self._connected() as connection:
            return connection.execute(query, parameters).fetchall()

    @contextlib.contextmanager
    def _transaction(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        with self._connected(mode) as connection:
            connection.execute("BEGIN IMMEDIATE")
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


def _advice(error: sqlite3.Error) -> str:
    if "not a database" in str(error) or "malformed" in str(error):
        return "; it stays as it is: name another file, or move this one away"
    return ""
