"""Counters of items and records of users that a release takes of a state, chunk by chunk."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow_hotfix  # noqa: F401  CVE-2023-47248
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.components.feature_joiner.state import user_file
from semantic_id_ranking.components.feature_joiner.state_counters import item_counters
from semantic_id_ranking.contracts.counters import COUNTED_CODES
from semantic_id_ranking.contracts.counters import CounterLayout
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.encoding.sid_batches import state_of_files
from semantic_id_ranking.serving.store import StoredMoment
from semantic_id_ranking.serving.store import UserRecord

# A record has some kilobytes.
_USERS = 1_000
# `state.json` of a state whose history is of impressions of any label, so that examples have these.
_ALL = "all impressions"

#: Semantic IDs, int32 [n, L], of n items; codes -1 of one without.
LookUp = Callable[[Sequence[str]], np.ndarray]


@dataclasses.dataclass(frozen=True)
class ReleasedState:
    """A state with counters. Its items' counters are read at once, its users some at a time.

    Attributes:
        folder: Where its files are.
        content: Its `state.json`.
        source: Names the files and their state; changed files have another name.
    """

    folder: str
    content: dict[str, Any]
    source: str

    @classmethod
    def open(cls, folder: str, fingerprint: str) -> "ReleasedState":
        """Opens a state.

        Args:
            folder: Where its files are.
            fingerprint: SID space of the release.

        Raises:
            InputError: A file is missing, the state has no counters, or it is of another space.
        """
        path = os.path.join(folder, "state.json")
        try:
            with FileSystems.open(path) as file:
                text = file.read()
            content = json.loads(text)
            users = [user_file(number, content["groups"]) for number in range(content["groups"])]
            paths = [os.path.join(folder, name) for name in ("items.parquet", *users)]
            files = state_of_files(paths)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        if not content["counters"]:
            raise InputError(f"{path}: the state has no counters; join with context.counters")
        if content["sid_space"] != fingerprint:
            raise InputError(
                f"{path}: the state is of SID space {content['sid_space']}, the Semantic IDs of "
                f"the release are of {fingerprint}"
            )
        return cls(folder, content, hashlib.sha256(text + files.encode()).hexdigest()[:16])

    @property
    def moment(self) -> StoredMoment:
        """What the state does not know of any more, and of which tasks it has what."""
        tasks = self.content["tasks"]
        return StoredMoment(
            self.content["as_of"],
            tuple(task for task, kind in tasks.items() if kind == "binary"),
            tuple(tasks) if self.content["history_of"] == _ALL else (),
        )

    def item_counters(self) -> "CountersByItem":
        """Counters of all items, which stay in memory: 8 bytes a counter, and the ids."""
        with FileSystems.open(os.path.join(self.folder, "items.parquet")) as file:
            rows = pq.ParquetFile(file).read()
        counters = item_counters(rows, self._block, self.content)
        return CountersByItem(pd.Index(rows["item_id"].to_pandas()), counters)

    def users(self, start: int, sids_of: LookUp) -> Iterator[dict[str, UserRecord]]:
        """Records of users, some at a time, in the order of the files.

        Args:
            start: The first user wanted, a number from 0 on.
            sids_of: Looks the Semantic IDs of the histories up.

        Yields:
            user_id -> record.
        """
        for file in self._user_files():
            rows = file.metadata.num_rows
            if start < rows:
                for batch in file.iter_batches(_USERS):
                    if start < batch.num_rows:
                        yield self._records(batch.slice(start), sids_of)
                    start = max(start - batch.num_rows, 0)
            else:
                start -= rows

    def user_ids(self) -> set[str]:
        """All users; about 100 bytes each in memory."""
        columns = (file.read(["user_id"])["user_id"] for file in self._user_files())
        return {user for column in columns for user in column.to_pylist()}

    def _user_files(self) -> Iterator[pq.ParquetFile]:
        groups = self.content["groups"]
        for number in range(groups):
            path = os.path.join(self.folder, user_file(number, groups))
            with FileSystems.open(path, compression_type="uncompressed") as raw:
                yield pq.ParquetFile(raw)

    @property
    def _block(self) -> tuple[str, ...]:
        return CounterLayout(self.moment.tasks).block

    def _records(self, rows: pa.RecordBatch, sids_of: LookUp) -> dict[str, UserRecord]:
        events, items = _lists(rows["item_id"])
        names = items.to_pylist()
        distinct = list(dict.fromkeys(names))
        at = {item: row for row, item in enumerate(distinct)}
        sids = sids_of(distinct)[[at[item] for item in names]]
        tasks = self.moment.history_tasks
        labels = _columns([_lists(rows[f"label_{task}"])[1] for task in tasks], len(names))
        totals = np.stack([rows[name].to_numpy() for name in self._block], axis=1)
        codes_bounds, codes = _lists(rows["codes"])
        pairs = codes.to_numpy().reshape(-1, COUNTED_CODES)
        by_codes = np.stack([_lists(rows[f"codes_{n}"])[1].to_numpy() for n in self._block], axis=1)
        bounds = codes_bounds // COUNTED_CODES
        result = {}
        for row, user in enumerate(rows["user_id"].to_pylist()):
            past, alike = slice(*events[row : row + 2]), slice(*bounds[row : row + 2])
            result[user] = UserRecord(
                names[past], sids[past], labels[past], totals[row], pairs[alike], by_codes[alike]
            )
        return result


@dataclasses.dataclass(frozen=True)
class CountersByItem:
    """Counters of items.

    Attributes:
        ids: Index of m items.
        counters: float32 [m, C].
    """

    ids: pd.Index
    counters: np.ndarray

    def of(self, item_ids: Sequence[str]) -> np.ndarray:
        """Counters of n items, float32 [n, C]; zeros of one that had no impression."""
        rows = self.ids.get_indexer(item_ids)
        result = self.counters[rows] if len(self.ids) else np.zeros((len(rows), self._width))
        result[rows < 0] = 0
        return result

    @property
    def _width(self) -> int:
        return self.counters.shape[1]


def _lists(column: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Bounds [n + 1] and values of a column of lists."""
    lengths = column.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    return np.concatenate([[0], np.cumsum(lengths)]), column.flatten()


def _columns(columns: Sequence[pa.Array], rows: int) -> np.ndarray:
    """Float32 [rows, columns]."""
    none = np.zeros((rows, 0), np.float32)
    return np.stack([column.to_numpy() for column in columns], axis=1) if columns else none
