"""Columns of one value a row: checked, and brought to one Arrow type each."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.parquet.place import Place

_TYPES = pa.types


def ids(column: pa.Array, place: Place) -> pa.Array:
    """Identifiers of users or items.

    Args:
        column: Strings (also dictionary-encoded) or integers.
        place: Where the column comes from.

    Returns:
        large_binary, no nulls; an integer becomes its decimal digits.

    Raises:
        InputError: Another type, a null or an empty string.
    """
    texts = _texts(column, place, "a string or an integer")
    if texts.null_count:
        raise place.error(_first(texts.is_null()), "null", "an id")
    empty = pc.equal(pc.binary_length(texts), 0)
    if pc.any(empty).as_py():
        raise place.error(_first(empty), "an empty string", "an id")
    return texts


def optional_ids(column: pa.Array, place: Place) -> pa.Array:
    """As `ids`, but a null becomes the empty string, which means "no item"."""
    return _texts(column, place, "a string or an integer").fill_null(b"")


def categories(column: pa.Array, place: Place) -> pa.Array:
    """Categorical values.

    Args:
        column: Strings (also dictionary-encoded), integers or booleans.
        place: Where the column comes from.

    Returns:
        large_binary; an integer becomes its decimal digits, a boolean "true" or "false", a null
        stays null.

    Raises:
        InputError: Another type.
    """
    if _TYPES.is_boolean(column.type):
        return column.cast(pa.string()).cast(pa.large_binary())
    return _texts(column, place, "strings, integers or booleans")


def numbers(column: pa.Array, place: Place) -> pa.Array:
    """Numeric values.

    Args:
        column: Integers, floats, decimals or booleans.
        place: Where the column comes from.

    Returns:
        float32; a null or a NaN, which is how pandas writes one, becomes null.

    Raises:
        InputError: Another type, or a value infinite in float32.
    """
    values = _floats(column, place)
    infinite = pc.is_inf(values)
    if pc.any(infinite).as_py():
        index = _first(infinite)
        raise place.error(index, str(column[index].as_py()), "a finite number")
    return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float32()), values)


def regression_labels(column: pa.Array, place: Place) -> pa.Array:
    """Labels of a regression task.

    Returns:
        float32, no nulls.

    Raises:
        InputError: Not a number type, a null, a NaN or a value infinite in float32.
    """
    values = _floats(column, place)
    wrong = ~np.isfinite(values.fill_null(np.nan).to_numpy())
    if wrong.any():
        index = int(wrong.argmax())
        raise place.error(index, _show(column[index]), "a finite number, the label of a regression")
    return values


def binary_labels(column: pa.Array, place: Place) -> pa.Array:
    """Labels of a binary task.

    Args:
        column: Booleans, integers or floats.
        place: Where the column comes from.

    Returns:
        int64, each 0 or 1.

    Raises:
        InputError: Another type, a null, or a value that is neither 0 nor 1.
    """
    expected = "0 or 1 (false or true), the label of a binary task"
    kind = column.type
    if not (_TYPES.is_boolean(kind) or _TYPES.is_integer(kind) or _TYPES.is_floating(kind)):
        raise place.type_error(kind, expected)
    if column.null_count:
        raise place.error(_first(column.is_null()), "null", expected)
    values = column.to_numpy(zero_copy_only=False)
    wrong = ~((values == 0) | (values == 1))
    if wrong.any():
        index = int(wrong.argmax())
        raise place.error(index, _show(column[index]), expected)
    return pa.array(values.astype(np.int64))


def _texts(column: pa.Array, place: Place, expected: str) -> pa.Array:
    if _TYPES.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if _TYPES.is_integer(kind):
        column = column.cast(pa.large_string())
    elif _TYPES.is_null(kind):  # What a column without any value is written as.
        column = pa.nulls(len(column), pa.large_string())
    elif not (_TYPES.is_string(kind) or _TYPES.is_large_string(kind)):
        raise place.type_error(kind, expected)
    return column.cast(pa.large_binary())


def _floats(column: pa.Array, place: Place) -> pa.Array:
    kind = column.type
    if _TYPES.is_boolean(kind):
        column = column.cast(pa.uint8())
    elif _TYPES.is_null(kind):
        column = pa.nulls(len(column), pa.float32())
    elif not (_TYPES.is_integer(kind) or _TYPES.is_floating(kind) or _TYPES.is_decimal(kind)):
        raise place.type_error(kind, "a number")
    return column.cast(pa.float32(), safe=False)


def _first(mask: pa.Array) -> int:
    return pc.index(mask, True).as_py()


def _show(value: pa.Scalar) -> str:
    return "null" if value.as_py() is None else str(value.as_py())
