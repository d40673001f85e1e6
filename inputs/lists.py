"""Columns of a list a row: embeddings, and columns that are only carried along."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.inputs.columns import Bad


def is_list(kind: pa.DataType) -> bool:
    """Whether an Arrow type is a list."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def embeddings(column: pa.Array, dim: int, why: str) -> tuple[np.ndarray, Bad]:
    """Content embeddings, and what is wrong with the others.

    Args:
        column: Lists of floats.
        dim: Length that every embedding must have.
        why: Where that length comes from, for the message.

    Returns:
        The good ones, float32 [good rows, dim] in the order of the rows, all finite; and the bad
        ones: null, of another length, or with a null, NaN or infinity inside.
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
    with np.errstate(over="ignore"):  # What is too large becomes infinite, and is refused.
        # A null becomes NaN here.
        values = flat.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    values = values.reshape(len(fitting), dim)
    finite = np.isfinite(values)
    if finite.all():
        return values, bad
    good = finite.all(axis=1)
    for row in np.flatnonzero(~good).tolist():
        position = int((~finite[row]).argmax())
        value = flat[row * dim + position].as_py()
        found = "null" if value is None else value
        bad[int(fitting[row])] = (
            f"{found} at position {position} of the list",
            "finite float32 numbers only",
        )
    return values[good], dict(sorted(bad.items()))


def to_lists(values: np.ndarray) -> pa.Array:
    """large_list<float32> of a matrix [rows, dim]."""
    rows, dim = values.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * dim
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(values.reshape(-1)))


def list_lengths(column: pa.Array) -> np.ndarray:
    """Number of values in each row's list, 0 for a null; int64 [rows]."""
    return pc.list_value_length(column).fill_null(0).to_numpy().astype(np.int64)


def carried(column: pa.Array) -> pa.Array:
    """A column that is carried along, as a feature.

    Args:
        column: Binary, int64, double, or lists of those.

    Returns:
        A scalar or large_list array of large_binary, int64 or float32. A null stays null; a null
        inside a list is left out.
    """
    if not is_list(column.type):
        return _scalars(column)
    lengths = list_lengths(column)
    values = _scalars(column.flatten())
    kept = np.concatenate([[0], np.cumsum(values.is_valid().to_numpy(zero_copy_only=False))])
    offsets = kept[np.concatenate([[0], np.cumsum(lengths)])]
    null = np.append(column.is_null().to_numpy(zero_copy_only=False), False)
    return pa.LargeListArray.from_arrays(
        pa.array(offsets, pa.int64(), mask=null), values.drop_null()
    )


def _scalars(column: pa.Array) -> pa.Array:
    if pa.types.is_floating(column.type):
        return column.cast(pa.float32(), safe=False)
    return column if pa.types.is_integer(column.type) else column.cast(pa.large_binary())
