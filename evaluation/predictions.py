"""Predictions as columns: what metrics are computed from."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import pandas as pd

from semantic_id_ranking.evaluation.slices import ALL

#: Clusters that users, and items, are grouped into by a hash. Grouped at random, clusters give the
#: same variance in expectation; with 4,096 groups its root is known to 1.1 %.
CLUSTERS = 4096

#: Columns of n evaluated impressions: `user` and `item`, uint64 digests, where an impression
#: without a user has a digest of its own; `has_user`, bool; `time`, int64, microseconds since 1970;
#: and those that `label_column`, `score_column` and `slice_column` name.
Predictions = Mapping[str, np.ndarray]

DAY = 86_400_000_000
_SEQUENCE = np.uint64(0x9E3779B97F4A7C15)


def label_column(task: str) -> str:
    """Column of a task's labels: float32, NaN where an impression has none."""
    return f"label {task}"


def score_column(model: str, task: str) -> str:
    """Column of a model's scores: float32."""
    return f"score {model} {task}"


def slice_column(name: str) -> str:
    """Column of whether an impression is in a slice other than `all`: bool."""
    return f"slice {name}"


def in_slice(predictions: Predictions, name: str) -> np.ndarray:
    """Bool [n]: whether an impression is in a slice."""
    if name == ALL:
        return np.ones(len(predictions["item"]), bool)
    return predictions[slice_column(name)]


def user_digests(users: np.ndarray, file: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Digests of users; an impression without one is a user of its own.

    Args:
        users: object [n], bytes; empty where there is no user.
        file: Number of the file that the impressions are in.
        first: Index in that file of the first one.

    Returns:
        uint64 [n], and bool [n]: whether there is a user.
    """
    known = users != b""
    rows = np.arange(first, first + len(users), dtype=np.uint64) + np.uint64(file << 40)
    with np.errstate(over="ignore"):
        own = (rows + np.uint64(1)) * _SEQUENCE
    own ^= own >> np.uint64(32)
    return np.where(known, item_digests(users), own), known


def item_digests(items: np.ndarray) -> np.ndarray:
    """uint64 [n], digests of ids.

    Args:
        items: object [n], bytes.
    """
    return pd.util.hash_array(items)


def clusters_of(digests: np.ndarray) -> np.ndarray:
    """int64 [n], the cluster of each user or item, 0 .. `CLUSTERS` - 1."""
    return (digests >> np.uint64(32)).astype(np.int64) % CLUSTERS


def by_user_group(predictions: Predictions, groups: int) -> Iterator[tuple[int, Predictions]]:
    """Divides a block so that the impressions of a user are in one group."""
    group = predictions["user"] % np.uint64(groups)
    for number in np.unique(group):
        yield int(number), select(predictions, group == number)


def select(predictions: Predictions, rows: np.ndarray) -> Predictions:
    """Some rows: indices, or bool."""
    return {name: column[rows] for name, column in predictions.items()}


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """One block of all parts, in an order that does not depend on theirs."""
    block = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    scores = [column for name, column in sorted(block.items()) if name.startswith("score ")]
    return select(block, np.lexsort([*scores, block["item"], block["time"], block["user"]]))
