"""Columns of a list a row: embeddings, and columns that are only carried along."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.parquet.place import Place

_TYPES = pa.types
_CARRIED = "a string, integer, float, boolean or timestamp, or a list of those"


def is_list(kind: pa.DataType) -> bool:
    """Whether an Arrow type is a list of any of the three kinds."""
    return _TYPES.is_list(kind) or _TYPES.is_large_list(kind) or _TYPES.is_fixed_size_list(kind)


def embeddings(column: pa.Array, place: Place, dim: int, why: str) -> pa.Array:
    """Content embeddings.

    Args:
        column: Lists (of the ordinary, large or fixed-size kind) of float16, float32 or float64.
        place: Where the column comes from.
        dim: Length that every embedding must have.
        why: Where that length comes from, for the message.

    Returns:
        large_list<float32>, no nulls, all finite, all of length `dim`.

    Raises:
        InputError: Another type, a null, another length, or a null, NaN or infinity inside.
    """
    check_embedding_type(column.type, place)
    values, bad = parse_embeddings(column, dim, why)
    for index, (found, expected) in bad.items():
        raise place.error(index, found, expected)
    offsets = np.arange(len(column) + 1, dtype=np.int64) * dim
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(values.reshape(-1)))


def check_embedding_type(kind: pa.DataType, place: Place) -> None:
    """Refuses a column that does not hold lists of floats.

    Raises:
        InputError: Its type is another.
    """
    if not is_list(kind) or not _TYPES.is_floating(kind.value_type):
        raise place.type_error(kind, "a list of float32 or float64")


def parse_embeddings(
    column: pa.Array, dim: int, why: str
) -> tuple[np.ndarray, dict[int, tuple[str, str]]]:
    """Content embeddings, and what is wrong with the others.

    Args:
        column: Of a type that `check_embedding_type` lets pass.
        dim: Length that every embedding must have.
        why: Where that length comes from, for the message.

    Returns:
        The good ones, float32 [good rows, dim] in the order of the rows; and position of each bad
        row in the column, ascending, to what was found and what was expected.
    """
    null = column.is_null().to_numpy(zero_copy_only=False)
    lengths = list_lengths(column)
    misfit = null | (lengths != dim) | (lengths == 0)
    bad = {
        index: ("null", f"a list of {dim} floats")
        if null[index]
        else (f"a list of length {lengths[index]}", f"length {dim or '1 or more'}, {why}")
        for index in np.flatnonzero(misfit).tolist()
    }
    fitting = np.flatnonzero(~misfit)
    flat = (column.filter(pa.array(~misfit)) if bad else column).flatten()
    # Not cast(): Arrow 10 cannot cast float16. A null becomes NaN here.
    with np.errstate(over="ignore"):  # What is too large becomes infinite, and is refused.
        values = flat.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    values = values.reshape(len(fitting), dim)
    finite = np.isfinite(values)
    if finite.all():
        return values, bad
    good = finite.all(axis=1)
    for row in np.flatnonzero(~good).tolist():
        position = int((~finite[row]).argmax())
        value = flat[row * dim + position].as_py()
        shown = "null" if value is None else value
        bad[int(fitting[row])] = (
            f"{shown} at position {position} of the list",
            "finite float32 numbers only",
        )
    return values[good], dict(sorted(bad.items()))


def list_lengths(column: pa.Array) -> np.ndarray:
    """Number of values in each row's list, 0 for a null; int64 [rows]."""
    if _TYPES.is_fixed_size_list(column.type):
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        return valid.astype(np.int64) * column.type.list_size
    return pc.list_value_length(column).fill_null(0).to_numpy().astype(np.int64)


def check_carried(kind: pa.DataType, place: Place) -> None:
    """Refuses a type that `carried` cannot turn into a feature.

    Raises:
        InputError: It is neither a scalar nor a list of scalars.
    """
    if _target(kind.value_type if is_list(kind) else kind) is None:
        raise place.type_error(kind, f"{_CARRIED}; leave the column out or flatten it")


def carried(column: pa.Array) -> pa.Array:
    """A column that is carried along, as a feature.

    Args:
        column: Of a type that `check_carried` lets pass.

    Returns:
        A scalar or large_list array of large_binary (strings, bytes), int64 (integers, booleans;
        timestamps and dates as microseconds since the epoch) or float32. A null stays null; a null
        inside a list is left out.
    """
    if not is_list(column.type):
        return _cast(column)
    lengths = list_lengths(column)
    values = _cast(column.flatten())
    kept = np.concatenate([[0], np.cumsum(values.is_valid().to_numpy(zero_copy_only=False))])
    offsets = kept[np.concatenate([[0], np.cumsum(lengths)])]
    null = np.append(column.is_null().to_numpy(zero_copy_only=False), False)
    return pa.LargeListArray.from_arrays(
        pa.array(offsets, pa.int64(), mask=null), values.drop_null()
    )


def _target(kind: pa.DataType) -> pa.DataType | None:
    if _TYPES.is_dictionary(kind):
        kind = kind.value_type
    if _TYPES.is_boolean(kind) or _TYPES.is_integer(kind):
        return pa.int64()
    if _TYPES.is_timestamp(kind) or _TYPES.is_date(kind):
        return pa.int64()
    if _TYPES.is_floating(kind) or _TYPES.is_decimal(kind):
        return pa.float32()
    text = _TYPES.is_string(kind) or _TYPES.is_large_string(kind)
    if text or _TYPES.is_binary(kind) or _TYPES.is_large_binary(kind) or _TYPES.is_null(kind):
        return pa.large_binary()
    return None


def _cast(column: pa.Array) -> pa.Array:
    if _TYPES.is_dictionary(column.type):
        column = column.dictionary_decode()
    target = _target(column.type)
    if _TYPES.is_timestamp(column.type) or _TYPES.is_date(column.type):
        column = column.cast(pa.timestamp("us"), safe=False)
    if _TYPES.is_float16(column.type):
        column = pa.array(
            column.to_numpy(zero_copy_only=False).astype(np.float32),
            mask=column.is_null().to_numpy(zero_copy_only=False),
        )
    return column.cast(target, safe=False)
