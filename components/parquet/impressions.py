"""The impression log: its check before anything runs, and its rows as features."""

from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timezone

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet import columns
from semantic_id_ranking.components.parquet.evaluation_start import check_evaluation
from semantic_id_ranking.components.parquet.evaluation_start import check_training
from semantic_id_ranking.components.parquet.impression_parameters import ImpressionParameters
from semantic_id_ranking.components.parquet.place import Place
from semantic_id_ranking.components.parquet.row_group import list_files
from semantic_id_ranking.components.parquet.row_group import read_schema
from semantic_id_ranking.components.parquet.row_group import row_groups
from semantic_id_ranking.components.parquet.row_group import RowGroup
from semantic_id_ranking.components.parquet.timestamps import require
from semantic_id_ranking.components.parquet.timestamps import timestamps
from semantic_id_ranking.components.parquet.timestamps import to_microseconds

_Convert = Callable[[pa.Array, Place], pa.Array]


def check_impressions(pattern: str, parameters: ImpressionParameters) -> list[RowGroup]:
    """Reads every column that has a meaning.

    Args:
        pattern: The impressions, a path or a glob pattern.
        parameters: Columns and split.

    Returns:
        What `impression_features` reads.

    Raises:
        InputError: Something is wrong: the first thing found is named. Also if a split would be
            empty.
    """
    files = list_files(pattern)
    for path in files:
        schema = read_schema(path, _purposes(parameters))
        for column, convert in _features(parameters).values():
            convert(pa.nulls(0, schema.field(column).type), Place(path, column))
    groups = row_groups(files)
    first, last = [], []
    for group in groups:
        for features, _ in impression_features(group, parameters):
            times = features["timestamp"].to_numpy()
            first.append(times.min())
            last.append(times.max())
    start = to_microseconds(parameters.evaluation_start)
    check_training(min(first), start, pattern, parameters.timestamp)
    check_evaluation(max(last), start, pattern, parameters.timestamp)
    return groups


def impression_features(
    group: RowGroup, parameters: ImpressionParameters
) -> Iterator[tuple[dict[str, pa.Array], np.ndarray]]:
    """Reads impressions.

    Args:
        group: One of `check_impressions`.
        parameters: Columns and split.

    Yields:
        Features of a batch of rows: `user_id`, `item_id`, `current_item_id` (if configured; empty
        where null) large_binary; `timestamp` int64 microseconds since the epoch; label columns
        int64 (binary) or float32; context columns large_binary or float32, null where they have no
        value. With them, whether each row evaluates (at or after the start of the evaluation), bool
        [rows].

    Raises:
        InputError: A value is wrong.
    """
    start = to_microseconds(parameters.evaluation_start)
    features = _features(parameters)
    wanted = sorted({column for column, _ in features.values()})
    for row, batch in group.read(wanted):
        arrays = {
            name: convert(batch.column(column), Place(group.path, column, row))
            for name, (column, convert) in features.items()
        }
        evaluates = pc.greater_equal(arrays["timestamp"], start)
        yield arrays, evaluates.to_numpy(zero_copy_only=False)


def _features(parameters: ImpressionParameters) -> dict[str, tuple[str, _Convert]]:
    """Feature -> its column and what checks and converts that."""
    features: dict[str, tuple[str, _Convert]] = {}

    def add(name: str, column: str, convert: _Convert) -> None:
        if features.setdefault(name, (column, convert)) != (column, convert):
            raise InputError(
                f"Column {column!r} is configured with two meanings, or has the name of another "
                f"feature, {name!r}; expected one meaning for each."
            )

    add("user_id", parameters.user_id, columns.ids)
    add("item_id", parameters.item_id, columns.ids)
    add("timestamp", parameters.timestamp, _times)
    if parameters.current_item_id is not None:
        add("current_item_id", parameters.current_item_id, columns.optional_ids)
    labels = {"binary": columns.binary_labels, "regression": columns.regression_labels}
    for task in parameters.tasks:
        add(task["label"], task["label"], labels[task["type"]])
    for name in parameters.context.get("categorical", ()):
        add(name, name, columns.categories)
    for name in parameters.context.get("numeric", ()):
        add(name, name, columns.numbers)
    return features


def _times(column: pa.Array, place: Place) -> pa.Array:
    return require(timestamps(column, place, datetime.now(timezone.utc)), place)


def _purposes(parameters: ImpressionParameters) -> dict[str, str]:
    purposes = {
        name: f"the {kind} context" for kind, names in parameters.context.items() for name in names
    }
    purposes |= {task["label"]: f"the label of task {task['name']!r}" for task in parameters.tasks}
    if parameters.current_item_id is not None:
        purposes[parameters.current_item_id] = "the current item"
    return purposes | {
        parameters.user_id: "the user",
        parameters.item_id: "the impressed item",
        parameters.timestamp: "the time of the impression",
    }
