"""JSON to tensors: the `instances` and `inputs` of a REST predict request."""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.tensor_proto import type_name

Inputs = Mapping[str, meta_graph_pb2.TensorInfo]

_BASE64 = "b64"
_FLOAT_BITS = {tf.float32: 24, tf.float64: 53}
# Dimensions of a NumPy array.
_MAX_LEVELS = 32
_JSON_TYPES = {dict: "Object", list: "Array", str: "String", type(None): "Null"}


def instances_to_arrays(instances: Any, infos: Inputs) -> dict[str, np.ndarray]:
    """Reads the row format: one value, or one object of named values, an instance.

    Args:
        instances: The decoded JSON value.
        infos: What the signature declares of each input.

    Returns:
        Arrays by alias, whose first dimension counts the instances.

    Raises:
        StatusError: It is no list, is empty, or an instance does not fit.
    """
    if not isinstance(instances, list):
        raise invalid_argument(
            f"JSON Value: {json_text(instances)} Excepting 'instances' to be an list/array"
        )
    if not instances:
        raise invalid_argument("JSON Value: [] No values in 'instances' array")
    if not is_object(instances[0]):
        if len(infos) > 1:
            raise invalid_argument(
                "instances is a plain list, but expecting list of objects as multiple input "
                "tensors required as per tensorinfo_map"
            )
        alias = next(iter(infos))
        rows = [{alias: instance} for instance in instances]
    else:
        rows = instances
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise invalid_argument(f"Expecting object but got list at item {index} of input list")
        if row.keys() != infos.keys():
            raise invalid_argument(
                f"Failed to process element: {index} of 'instances' list. JSON object: "
                f"{json_text(row)} keys must be equal to: {','.join(sorted(infos))}"
            )
    return {
        alias: to_array([row[alias] for row in rows], info.dtype) for alias, info in infos.items()
    }


def inputs_to_arrays(inputs: Any, infos: Inputs) -> dict[str, np.ndarray]:
    """Reads the columnar format: an object of tensors, or the tensor of the only input.

    Args:
        inputs: The decoded JSON value.
        infos: What the signature declares of each input.

    Returns:
        Arrays by alias.

    Raises:
        StatusError: An input is missing or does not fit.
    """
    if not is_object(inputs):
        if len(infos) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        inputs = dict.fromkeys(infos, inputs)
    for alias in infos:
        if alias not in inputs:
            raise invalid_argument(f"Missing named input: {alias} in 'inputs' object.")
    return {alias: to_array(inputs[alias], info.dtype) for alias, info in infos.items()}


def to_array(value: Any, dtype: int) -> np.ndarray:
    """Makes an array of nested lists.

    Args:
        value: A value or nested lists of values; bytes are objects `{"b64": ...}`.
        dtype: A DataType.

    Returns:
        The array; dtype object for strings.

    Raises:
        StatusError: The lists are ragged, or a value is not of the type.
    """
    shape = _shape(value)
    flat: list[Any] = []
    _flatten(value, shape, 0, dtype, flat)
    if dtype == types_pb2.DT_STRING:
        array = np.empty(len(flat), object)
        array[:] = flat
        return array.reshape(shape)
    return np.array(flat, tf.as_dtype(dtype).as_numpy_dtype).reshape(shape)


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


def _flatten(value: Any, shape: list[int], level: int, dtype: int, flat: list[Any]) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid_argument(
                f"JSON Value: {json_text(value)} found at incorrect level: {level + 1} in the JSON "
                f"DOM. Expected at level: {len(shape)}"
            )
        flat.append(_scalar(value, dtype))
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
        _flatten(element, shape, level + 1, dtype, flat)


def _scalar(value: Any, dtype: int) -> Any:
    kind = tf.as_dtype(dtype)
    if kind == tf.string and isinstance(value, str):
        return value.encode()
    if kind == tf.string and isinstance(value, dict):
        return decode_base64(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in _FLOAT_BITS and number:
        if not is_lossless(value, kind):
            raise invalid_argument(
                f"Cannot convert JSON value: {json_text(value)} to {type_name(dtype)} without loss "
                "of precision."
            )
        return value
    whole = number and isinstance(value, int)
    if (kind.is_integer and whole and kind.min <= value <= kind.max) or (
        kind == tf.bool and isinstance(value, bool)
    ):
        return value
    raise invalid_argument(
        f"JSON Value: {json_text(value)} Type: {json_type(value)} is not of expected type: "
        f"{type_name(dtype)}"
    )


def is_lossless(value: float, kind: tf.DType) -> bool:
    """Whether TensorFlow Serving takes a number for float32 or float64."""
    if isinstance(value, int):
        return abs(value) < 1 << _FLOAT_BITS[kind]
    return not math.isfinite(value) or abs(value) <= kind.max


def decode_base64(value: dict) -> bytes:
    """Reads an object `{"b64": ...}`.

    Raises:
        StatusError: It is none.
    """
    if is_object(value):
        raise invalid_argument(
            f"JSON Value: {json_text(value)} not formatted correctly for base64 data"
        )
    try:
        return base64.b64decode(value[_BASE64], validate=True)
    except binascii.Error as error:
        raise invalid_argument("Unable to base64 decode") from error


def is_object(value: Any) -> bool:
    """Whether a value is an object other than one that stands for bytes."""
    if not isinstance(value, dict):
        return False
    return value.keys() != {_BASE64} or not isinstance(value[_BASE64], str)


def json_type(value: Any) -> str:
    """The name that messages give a value's type."""
    if isinstance(value, bool):
        return str(value)
    return _JSON_TYPES.get(type(value), "Number")


def json_text(value: Any) -> str:
    """A value as messages quote it."""
    return json.dumps(value)


def shortest_decimal(value: float) -> float:
    """The shortest decimal that reads back as the same float32, not as the same float64."""
    return float(str(np.float32(value)))
