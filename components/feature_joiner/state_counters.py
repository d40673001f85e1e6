"""Counters of items and of a user, as a run's state has them."""

import dataclasses
import glob
import json
import os
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow_hotfix  # noqa: F401  CVE-2023-47248

from semantic_id_ranking.components.feature_joiner.days import Days
from semantic_id_ranking.contracts.counters import COUNTED_CODES
from semantic_id_ranking.contracts.counters import CounterLayout
from semantic_id_ranking.contracts.counters import counters_by_codes
from semantic_id_ranking.contracts.counters import ITEM_COUNTERS
from semantic_id_ranking.contracts.counters import USER_CODE_COUNTERS
from semantic_id_ranking.contracts.counters import USER_COUNTERS
from semantic_id_ranking.contracts.errors import InputError


@dataclasses.dataclass(frozen=True)
class StateCounters:
    """Reads counters at the moment that a state is as of.

    Attributes:
        state: Folder of the state; see the artifact type `State`.
        semantic_ids: Folder of the Semantic IDs.
        tasks: The binary tasks, in the order of the configuration.
    """

    state: str
    semantic_ids: str
    tasks: tuple[str, ...]

    def context(self, item_ids: Sequence[str], user: str) -> dict[str, np.ndarray]:
        """The context columns of counters.

        Args:
            item_ids: N candidates. One that the state does not have had no impression.
            user: The user; one that the state does not have had none either.

        Returns:
            float32 [N, C] of the items, [C] of the user, and [N, C] of the user's impressions of
            items that begin like a candidate: NaN where a candidate has no Semantic ID here.

        Raises:
            InputError: A file cannot be read.
        """
        totals, codes, by_codes = self._user(user)
        return {
            ITEM_COUNTERS: self._items(item_ids),
            USER_COUNTERS: totals.astype(np.float32),
            USER_CODE_COUNTERS: self._by_codes(item_ids, codes, by_codes),
        }

    @property
    def _block(self) -> tuple[str, ...]:
        return CounterLayout(self.tasks).block

    def _items(self, item_ids: Sequence[str]) -> np.ndarray:
        with open(os.path.join(self.state, "state.json"), encoding="utf-8") as file:
            state = json.load(file)
        result = np.zeros((len(item_ids), 2 * len(self._block)), np.float32)
        for rows, items in _found(self.state, "items.parquet", item_ids):
            result[rows] = item_counters(items, self._block, state)
        return result

    def _user(self, user: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Counters [C], pairs of codes [m, 2], and counters by them [m, C]."""
        for _, users in _found(self.state, "users-*.parquet", [user]):
            totals = np.array([users[name][0].as_py() for name in self._block])
            codes = np.array(users["codes"][0].as_py(), np.int64).reshape(-1, COUNTED_CODES)
            by_codes = [users[f"codes_{name}"][0].as_py() for name in self._block]
            return totals, codes, np.array(by_codes, np.int64).T
        width = len(self._block)
        return (
            np.zeros(width),
            np.zeros((0, COUNTED_CODES), np.int64),
            np.zeros((0, width), np.int64),
        )

    def _by_codes(
        self, item_ids: Sequence[str], codes: np.ndarray, by_codes: np.ndarray
    ) -> np.ndarray:
        result = np.full((len(item_ids), 2 * len(self._block)), np.nan, np.float32)
        for rows, items in _found(self.semantic_ids, "sids-*.parquet", item_ids):
            sids = np.array(items["sid"].to_pylist(), np.int64)
            result[rows] = counters_by_codes(sids, codes, by_codes)
        return result


def item_counters(
    items: pa.Table | pa.RecordBatch, block: Sequence[str], state: Mapping[str, Any]
) -> np.ndarray:
    """The column `item_counters` at the first instant of the day that a state is as of.

    Args:
        items: n rows of its `items.parquet`.
        block: Names of the counters of a key: those of `CounterLayout`.
        state: Its `state.json`.

    Returns:
        float32 [n, 2C]: of all time, then recent ones, faded to that day as the join does it.
    """
    days = Days(state["day_microseconds"], state["half_life_microseconds"])
    fading = days.between(state["day"] - items["recent_day"].to_numpy())
    totals, recent = (
        np.stack([items[f"{prefix}{name}"].to_numpy() for name in block], axis=1)
        for prefix in ("", "recent_")
    )
    return np.concatenate([totals, recent * fading[:, None]], axis=1, dtype=np.float32)


def _found(folder: str, pattern: str, ids: Sequence[str]) -> Iterator[tuple[np.ndarray, pa.Table]]:
    """Of each file that has some of the ids: indices of these, and a row of the file for each."""
    wanted = pa.array(ids, pa.string())
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), pattern))):
        try:
            file = pq.ParquetFile(path)
            name = "user_id" if "user_id" in file.schema_arrow.names else "item_id"
            at = pc.index_in(wanted, value_set=file.read([name])[name].combine_chunks())
            rows = np.flatnonzero(at.is_valid().to_numpy(zero_copy_only=False))
            found = file.read().take(at.drop_null()) if len(rows) else None
        except (OSError, ValueError, RuntimeError) as error:  # The last one of pyarrow_hotfix.
            reason = str(error).strip().splitlines()[0]
            raise InputError(f"{path}: cannot be read: {reason}") from error
        if found is not None:
            yield rows, found
