"""Nested lists of JSON to arrays.

Numbers are looked at by lists, not one by one: a body may hold millions, and whoever reads one
keeps all others waiting.
"""

import base64
import itertools
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from semantic_id_ranking.serving.server.json_document import json_text
from semantic_id_ranking.serving.server.json_document import json_type
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import StatusError
from semantic_id_ranking.serving.server.status import unimplemented
from semantic_id_ranking.serving.server.tensor_proto import type_name

FLOATS: dict[int, np.dtype] = {
    types_pb2.DT_FLOAT: np.dtype(np.float32),
    types_pb2.DT_DOUBLE: np.dtype(np.float64),
}
"""`DataType` of fractional numbers that JSON stands for -> its type in NumPy."""
INTEGERS: dict[int, np.dtype] = {
    types_pb2.DT_INT8: np.dtype(np.int8),
    types_pb2.DT_INT16: np.dtype(np.int16),
    types_pb2.DT_INT32: np.dtype(np.int32),
    types_pb2.DT_INT64: np.dtype(np.int64),
    types_pb2.DT_UINT8: np.dtype(np.uint8),
    types_pb2.DT_UINT32: np.dtype(np.uint32),
    types_pb2.DT_UINT64: np.dtype(np.uint64),
}
"""`DataType` of whole numbers that JSON stands for -> its type in NumPy."""
JSON_DTYPES = {types_pb2.DT_BOOL, types_pb2.DT_STRING, *FLOATS, *INTEGERS}
"""Each `DataType` that TensorFlow Serving reads from JSON and writes to it."""

_LIMITS = {
    dtype: (int(np.iinfo(kind).min), int(np.iinfo(kind).max)) for dtype, kind in INTEGERS.items()
}
_BASE64 = "b64"
# Dimensions of a NumPy array.
_MAX_LEVELS = 32


def to_array(value: Any, dtype: int) -> np.ndarray:
    """Makes an array of nested lists.

    Args:
        value: A value or nested lists of values; bytes are objects `{"b64": ...}`.
        dtype: A DataType.

    Returns:
        The array; dtype object for strings. A number beyond float32 is infinite.

    Raises:
        StatusError: The lists are ragged, or a value is not of the type.
    """
    shape = _shape(value)
    flat = _flatten(value, shape)
    array = None if flat is None else _convert(flat, dtype)
    if array is None:
        _complain(value, shape, 0, dtype)
        raise AssertionError("a value that does not convert is one to complain of")
    return array.reshape(shape)


def decode_base64(value: dict) -> bytes:
    """Reads an object `{"b64": ...}`, padded or not.

    Raises:
        StatusError: It is none.
    """
    if is_object(value):
        raise invalid_argument(
            f"JSON Value: {json_text(value)} not formatted correctly for base64 data"
        )
    text = "".join(value[_BASE64].split())
    padding = "" if "=" in text else "=" * (-len(text) % 4)
    try:
        return base64.b64decode(text + padding, validate=True)
    except ValueError as error:  # binascii's, and that of a text that is not ASCII.
        raise invalid_argument("Unable to base64 decode") from error


def is_object(value: Any) -> bool:
    """Whether a value is an object other than one that stands for bytes."""
    if not isinstance(value, dict):
        return False
    return value.keys() != {_BASE64} or not isinstance(value[_BASE64], str)


def shortest_decimal(value: float) -> float:
    """The shortest decimal that reads back as the same float32, not as the same float64."""
    return float(str(np.float32(value)))


def _shape(value: Any) -> list[int]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    if len(shape) > _MAX_LEVELS:
        raise invalid_argument(f"Encountered list at unexpected level: {len(shape)}")
    return shape


def _flatten(value: Any, shape: list[int]) -> list[Any] | None:
    """The values of nested lists, one after the other; None where the lists are ragged."""
    level = [value]
    for size in shape:
        if set(map(type, level)) != {list} or set(map(len, level)) != {size}:
            return None
        level = list(itertools.chain.from_iterable(level))
    return level


def _convert(flat: list[Any], dtype: int) -> np.ndarray | None:
    """Makes an array of values; None where one is not of the type."""
    if not flat:
        return np.zeros(0, tf.as_dtype(dtype).as_numpy_dtype)
    kinds = set(map(type, flat))
    if dtype == types_pb2.DT_STRING and kinds <= {str, dict}:
        array = np.empty(len(flat), object)
        array[:] = [one.encode() if type(one) is str else decode_base64(one) for one in flat]
        return array
    if dtype == types_pb2.DT_BOOL and kinds == {bool}:
        return np.array(flat)
    if dtype in FLOATS and kinds <= {int, float}:
        with np.errstate(over="ignore"):
            return _floats(flat).astype(FLOATS[dtype])
    if dtype in INTEGERS and kinds == {int}:
        low, high = _LIMITS[dtype]
        if low <= min(flat) and max(flat) <= high:
            return np.array(flat, INTEGERS[dtype])
    return None


def _floats(flat: list[Any]) -> np.ndarray:
    try:
        return np.array(flat, np.float64)
    except OverflowError as error:
        raise invalid_argument(
            "JSON Parse error: Number too big to be stored in double."
        ) from error


def _complain(value: Any, shape: list[int], level: int, dtype: int) -> None:
    """Raises for the first value, in the order of the text, that is at fault."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid_argument(
                f"JSON Value: {json_text(value)} found at incorrect level: {level + 1} in the JSON "
                f"DOM. Expected at level: {len(shape)}"
            )
        if not _is_of(value, dtype):
            raise _type_error(value, dtype)
        if isinstance(value, dict):
            decode_base64(value)
        return
    if level >= len(shape):
        raise invalid_argument(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: "
            f"{shape[level]}"
        )
    for element in value:
        _complain(element, shape, level + 1, dtype)


def _is_of(value: Any, dtype: int) -> bool:
    kind = type(value)
    if dtype in INTEGERS:
        low, high = _LIMITS[dtype]
        return kind is int and low <= value <= high
    if dtype in FLOATS:
        return kind is int or kind is float
    if dtype == types_pb2.DT_BOOL:
        return kind is bool
    return dtype == types_pb2.DT_STRING and kind in (str, dict)


def _type_error(value: Any, dtype: int) -> StatusError:
    if dtype not in JSON_DTYPES and not isinstance(value, dict):
        return unimplemented(
            f"Conversion of JSON Value: {json_text(value)} to type: {type_name(dtype)}"
        )
    return invalid_argument(
        f"JSON Value: {json_text(value)} Type: {json_type(value)} is not of expected type: "
        f"{type_name(dtype)}"
    )
