"""Columns as batches hold them, checked value by value."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.inputs.timestamps import CREATED
from semantic_id_ranking.inputs.timestamps import logged
from semantic_id_ranking.inputs.timestamps import show

#: Position of each bad value in its batch, to what was found and what was expected.
Bad = Mapping[int, tuple[str, str]]


def ids(column: pa.Array) -> tuple[pa.Array, Bad]:
    """Identifiers of items.

    Args:
        column: Binary.

    Returns:
        large_binary; and the bad ones: null, empty, or not UTF-8.
    """
    values, bad = optional_ids(column)
    bad = dict.fromkeys(_where(column.is_null()), ("null", "an id")) | dict(bad)
    return values, bad


def optional_ids(column: pa.Array) -> tuple[pa.Array, Bad]:
    """Ids as by `ids`, but a null stays one: no user, no item."""
    values = column.cast(pa.large_binary())
    empty = _where(pc.equal(pc.binary_length(values), 0))
    bad = dict.fromkeys(empty, ("an empty string", "an id"))
    try:
        values.cast(pa.large_string())  # Looks at every byte.
    except pa.ArrowInvalid:
        for index, value in enumerate(values.to_pylist()):
            if value is not None and not _is_utf8(value):
                bad[index] = (f"{value!r}", "an id in UTF-8")
    return values, bad


def categories(column: pa.Array) -> tuple[pa.Array, Bad]:
    """Categorical values: large_binary of binary, null where there is none; none is bad."""
    return column.cast(pa.large_binary()), {}


def numbers(column: pa.Array) -> tuple[pa.Array, Bad]:
    """Numeric values.

    Args:
        column: double.

    Returns:
        float32, null for a null and for a NaN, which is how pandas writes one; and the bad ones:
        infinite in float32.
    """
    values = _floats(column)
    infinite = pc.is_inf(values)
    bad = {i: (_show(column[i]), "a finite number") for i in _where(infinite)}
    return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float32()), values), bad


def regression_labels(column: pa.Array) -> tuple[pa.Array, Bad]:
    """Labels of a regression task.

    Args:
        column: double.

    Returns:
        float32, null for a null; and the bad ones: NaN, or infinite in float32.
    """
    values = _floats(column)
    wrong = pc.invert(pc.is_finite(values))
    expected = "a finite number, the label of a regression, or null"
    return values, {i: (_show(column[i]), expected) for i in _where(wrong)}


def binary_labels(column: pa.Array) -> tuple[pa.Array, Bad]:
    """Labels of a binary task.

    Args:
        column: double.

    Returns:
        int64, null for a null; and the bad ones: neither 0 nor 1.
    """
    values = column.to_numpy(zero_copy_only=False)
    null = column.is_null().to_numpy(zero_copy_only=False)
    wrong = ~((values == 0) | (values == 1) | null)
    expected = "0 or 1 (false or true), the label of a binary task, or null"
    bad = {i: (_show(column[i]), expected) for i in np.flatnonzero(wrong).tolist()}
    return pa.array(values == 1, mask=null | wrong).cast(pa.int64()), bad


def event_times(column: pa.Array, now: datetime) -> tuple[pa.Array, Bad]:
    """Times of impressions.

    Args:
        column: int64, microseconds since the epoch.
        now: The present, with a time zone.

    Returns:
        The column; and the bad ones: null, before 1990, or more than a day after `now`.
    """
    return _times(
        column,
        *logged(now),
        "a time from 1990 to today, so the values are likely in another unit than the column's",
    )


def creation_times(column: pa.Array) -> tuple[pa.Array, Bad]:
    """Times of creation, as `event_times`: any date of the calendar, or null."""
    values, bad = _times(column, *CREATED, "a time of the years 1 to 9999")
    return values, {i: found for i, found in bad.items() if column[i].is_valid}


def _times(column: pa.Array, first: int, last: int, expected: str) -> tuple[pa.Array, Bad]:
    values = column.fill_null(first - 1).to_numpy()
    bad = {}
    for index in np.flatnonzero((values < first) | (values > last)).tolist():
        found = show(values[index].item()) if column[index].is_valid else "null"
        bad[index] = (found, expected)
    return column, bad


def _floats(column: pa.Array) -> pa.Array:
    return column.cast(pa.float32(), safe=False)


def _where(mask: pa.Array) -> list[int]:
    return np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False)).tolist()


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _show(value: pa.Scalar) -> str:
    """A number of a double column, as it stands in the file as far as that is known."""
    number = value.as_py()
    is_whole = number is not None and number.is_integer() and abs(number) < 1e15
    return str(int(number)) if is_whole else str(number)
