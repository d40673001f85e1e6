"""The impression log: its check before anything runs, and its rows as features."""

import functools
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime
from datetime import timezone

import numpy as np
import pyarrow as pa

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import columns
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import Block
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.evaluation_start import check_evaluation
from semantic_id_ranking.inputs.evaluation_start import check_training
from semantic_id_ranking.inputs.impression_parameters import ImpressionParameters
from semantic_id_ranking.inputs.rejects import Reject
from semantic_id_ranking.inputs.rejects import require_at_most
from semantic_id_ranking.inputs.timestamps import to_microseconds
from semantic_id_ranking.inputs.uses import Use

#: Impressions that one worker writes into one file.
BLOCK_ROWS = 1 << 17

_Parse = Callable[[pa.Array], tuple[pa.Array, columns.Bad]]


def check_columns(log: DataSet, parameters: ImpressionParameters) -> list[str]:
    """Checks names and types of the columns; the rows are not read.

    Args:
        log: The impressions.
        parameters: Columns and split.

    Returns:
        Sentences on what people should know: columns that only some files have.

    Raises:
        InputError: A column is missing, or of a type that cannot mean what it should.
    """
    purposes = _purposes(parameters)
    optional = []
    for column, use, _ in _features(parameters).values():
        everywhere = column in (parameters.user_id, parameters.item_id, parameters.timestamp)
        log.require(column, use, purposes[column], everywhere)
        if not everywhere:
            optional.append(column)
    return log.unlike(optional)


def check_impressions(
    log: DataSet, parameters: ImpressionParameters
) -> tuple[list[Block], list[Reject]]:
    """Reads every column that has a meaning.

    Args:
        log: The impressions.
        parameters: Columns and split.

    Returns:
        What `impression_features` reads, and the bad impressions.

    Raises:
        InputError: Something is wrong: the first thing found is named. Also if there are more than
            `skip_bad` bad impressions, or a split would be empty.
    """
    check_columns(log, parameters)
    blocks = log.blocks(BLOCK_ROWS)
    rejects: list[Reject] = []
    first, last = [], []
    for block in blocks:
        for times, bad in _checked(block, parameters):
            rejects += bad
            require_at_most(rejects, parameters.skip_bad, "impressions")
            if len(times):
                first.append(times.min())
                last.append(times.max())
    if not first:
        raise InputError(f"{log.name}: holds no good row, expected at least one.")
    start = to_microseconds(parameters.evaluation_start)
    check_training(min(first), start, log.name, parameters.timestamp)
    check_evaluation(max(last), start, log.name, parameters.timestamp)
    return blocks, rejects


def impression_features(
    block: Block, parameters: ImpressionParameters
) -> Iterator[tuple[dict[str, pa.Array], np.ndarray]]:
    """Reads impressions; bad ones are left out.

    Args:
        block: One of `check_impressions`.
        parameters: Columns and split.

    Yields:
        Features of a batch of rows: `user_id`, `item_id`, `current_item_id` (if configured; empty
        where null) large_binary; `timestamp` int64 microseconds since the epoch; label columns
        int64 (binary) or float32; context columns large_binary or float32. The user, a label and a
        context value may be null. With them, whether each row evaluates (at or after the start of
        the evaluation), bool [rows].
    """
    start = to_microseconds(parameters.evaluation_start)
    for arrays, _ in _batches(block, parameters):
        yield arrays, arrays["timestamp"].to_numpy() >= start


def _checked(
    block: Block, parameters: ImpressionParameters
) -> Iterator[tuple[np.ndarray, list[Reject]]]:
    for arrays, bad in _batches(block, parameters):
        yield arrays["timestamp"].to_numpy(), bad


def _batches(
    block: Block, parameters: ImpressionParameters
) -> Iterator[tuple[dict[str, pa.Array], list[Reject]]]:
    """The good rows of each batch as features, and the bad ones."""
    features = _features(parameters)
    wanted = {name: (column, use) for name, (column, use, _) in features.items()}
    for path, row, batch in block.read(wanted):
        arrays: dict[str, pa.Array] = {}
        bad: dict[int, tuple[str, str, str]] = {}
        for name, (column, _, parse) in features.items():
            arrays[name], wrong = parse(batch.column(name))
            for index, what in wrong.items():
                bad.setdefault(index, (column, *what))
        ids = arrays["item_id"]
        rejects = [
            Reject(path, row + index, _text(ids[index]), *what)
            for index, what in sorted(bad.items())
        ]
        if bad:
            good = np.ones(batch.num_rows, bool)
            good[list(bad)] = False
            arrays = {name: array.filter(pa.array(good)) for name, array in arrays.items()}
        if "current_item_id" in arrays:
            arrays["current_item_id"] = arrays["current_item_id"].fill_null(b"")
        yield arrays, rejects


def _features(parameters: ImpressionParameters) -> Mapping[str, tuple[str, Use, _Parse]]:
    """Feature -> its column, the column's use, and what checks its values."""
    features: dict[str, tuple[str, Use, _Parse]] = {}

    def add(name: str, column: str, use: Use, parse: _Parse) -> None:
        if features.setdefault(name, (column, use, parse)) != (column, use, parse):
            raise InputError(
                f"Column {column!r} is configured with two meanings, or has the name of another "
                f"feature, {name!r}; expected one meaning for each."
            )

    now = datetime.now(timezone.utc)
    add("user_id", parameters.user_id, uses.IDS, columns.optional_ids)
    add("item_id", parameters.item_id, uses.IDS, columns.ids)
    times = functools.partial(columns.event_times, now=now)
    add("timestamp", parameters.timestamp, uses.TIMES, times)
    if parameters.current_item_id is not None:
        add("current_item_id", parameters.current_item_id, uses.IDS, columns.optional_ids)
    labels = {
        "binary": (uses.BINARY_LABELS, columns.binary_labels),
        "regression": (uses.NUMBERS, columns.regression_labels),
    }
    for task in parameters.tasks:
        add(task["label"], task["label"], *labels[task["type"]])
    for name in parameters.context.get("categorical", ()):
        add(name, name, uses.CATEGORIES, columns.categories)
    for name in parameters.context.get("numeric", ()):
        add(name, name, uses.NUMBERS, columns.numbers)
    return features


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


def _text(item_id: pa.Scalar) -> str | None:
    return item_id.as_py().decode(errors="backslashreplace") if item_id.is_valid else None
