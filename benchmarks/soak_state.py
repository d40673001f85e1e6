"""The state that days leave: two output folders are compared by it."""

import contextlib
import json
import os
import pathlib
import re
import sqlite3
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import tensorflow as tf

from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.pipeline.days.day_metrics import DAYS
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import Ledger

_STORED = """
SELECT fingerprint, {0}.* FROM {0} JOIN space ON space = space.id ORDER BY fingerprint, 3
"""
_ARRAYS = ("metrics", "ranker", "ranker_state", "baseline_random_hash_state")
#: Of a SavedModel's checkpoint: what refers to what.
_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
#: A version.
_NUMBER = re.compile(r"(?<=/)\d+(?=/|$)")


def space_of(record: DayRecord, output: str) -> str:
    """Fingerprint of the SID space of a day."""
    folder = pathlib.Path(output, record.artifacts["rqvae"])
    (path,) = {path.parent for path in folder.rglob("sid_space.json")}
    return SidSpace.load(str(path)).fingerprint


def read_sids(path: str) -> dict[str, list[int]]:
    """A table of Semantic IDs: item -> codes."""
    table = pq.read_table(path, columns=["item_id", "sid"])
    return dict(zip(table["item_id"].to_pylist(), table["sid"].to_pylist(), strict=True))


def final_state(output: str, store: str) -> dict[str, Any]:
    """All of it that two runs of the same days have in common, whenever they ran.

    Args:
        output: An output folder, after `sid gc`.
        store: File of the store.

    Returns:
        By name; metrics, weights and states of optimizers are arrays, all else can be compared by
        `==`.
    """
    ledger = Ledger.open(output)
    last, serving = ledger.last, os.path.join(output, "serving")
    release = read_releases(serving)[0]
    ranker = os.path.join(serving, "ranker", str(release.versions["ranker"]))
    state = pathlib.Path(output, last.artifacts["state"])
    return {
        "ledger": [_record(day, output) for day in ledger.days],
        "pending": len(ledger.pending),
        "metrics": _metrics(os.path.join(output, DAYS)),
        "space": release.fingerprint,
        "semantic_ids": read_sids(os.path.join(output, last.artifacts["semantic_ids"])),
        "state": {path.name: _content(path) for path in sorted(state.rglob("*.*"))},
        "store": _stored(store),
        "ranker": _variables(ranker, "variables", "variables"),
        **{
            name: _variables(output, last.artifacts[name], "variables")
            for name in ("ranker_state", "baseline_random_hash_state")
        },
        "files": _files(output),
        "artifacts": _artifacts(output),
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Compares two final states.

    Returns:
        By name. Of metrics, weights and states of optimizers the largest absolute difference, 0
        where they are equal to the bit; of all else whether it is equal.
    """
    result: dict[str, Any] = {}
    for name, value in one.items():
        if name not in _ARRAYS:
            result[name] = value == other[name]
        elif value.keys() != other[name].keys():
            result[name] = "other variables"
        else:
            result[name] = max(_distance(value[key], other[name][key]) for key in value)
    return result


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    if one.shape != other.shape:
        return float("inf")
    if np.array_equal(one, other):
        return 0.0
    if one.dtype == object:  # Keys, such as item ids.
        return float("inf")
    return float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64))))


def _record(day: DayRecord, output: str) -> dict[str, Any]:
    kept = {name: getattr(day, name) for name in ("name", "digest", "untrained", "verdict")}
    released = day.ranker_version is not None
    # An RQ-VAE that only days before read may be removed.
    with contextlib.suppress(ValueError):
        kept["space"] = space_of(day, output)
    return {**kept, "refresh": day.refresh, "released": released}


def _metrics(path: str) -> dict[str, np.ndarray]:
    metrics = {}
    for row in pq.read_table(path).to_pylist():
        key = " ".join(row[name] for name in ("day", "task", "slice", "model"))
        values = {name: value for name, value in row.items() if isinstance(value, int | float)}
        metrics |= {f"{key} {name}": np.array(value) for name, value in values.items()}
    return metrics


def _content(path: pathlib.Path) -> Any:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pydict()
    return json.loads(path.read_text(encoding="utf-8")) if path.suffix == ".json" else None


def _stored(path: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table, without the number of the space and the name of what was loaded."""
    with contextlib.closing(sqlite3.connect(path)) as store:
        names = [name for (name,) in store.execute("SELECT name FROM sqlite_master")]
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for name in sorted(names):
            if name == "space":
                query = "SELECT fingerprint, levels, codebook_size, rows FROM space ORDER BY 1"
                rows[name] = store.execute(query).fetchall()
            elif not name.startswith("sqlite_"):
                found = store.execute(_STORED.format(name)).fetchall()
                rows[name] = [(row[0], *row[2:]) for row in found]
    return rows


def _variables(*path: str) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(os.path.join(*path))
    names = reader.get_variable_to_dtype_map()
    return {name: reader.get_tensor(name) for name in names if name != _GRAPH}


def _files(output: str) -> list[str]:
    """Files beside artifacts and metadata, whatever the versions' numbers are."""
    root = pathlib.Path(output)
    found = []
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if not name.startswith("artifacts") and not path.is_dir():
            found.append(_NUMBER.sub("N", name))
    return sorted(found)


def _artifacts(output: str) -> dict[str, int]:
    """Folders of artifacts: component and output -> how many."""
    counts: dict[str, int] = {}
    for path in pathlib.Path(output, "artifacts").glob("*/*/*"):
        name = str(path.relative_to(output).parent)
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
