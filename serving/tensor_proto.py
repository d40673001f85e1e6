"""NumPy array to TensorProto and back."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import types_pb2


def data_type(array: np.ndarray) -> int:
    """The `DataType` of an array: dtype object and S hold bytes."""
    if array.dtype.kind in "OS":
        return types_pb2.DT_STRING
    return tf.as_dtype(array.dtype).as_datatype_enum


def type_name(dtype: int) -> str:
    """A `DataType` as TensorFlow's messages write it, such as `float`."""
    return types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()


def write_array(array: np.ndarray, proto: tensor_pb2.TensorProto) -> None:
    """Writes an array into an empty message, in place: messages are copied where they are assigned.

    `tf.make_tensor_proto` gives the same message, with checks that an array does not need.

    Args:
        array: Any shape. Numbers or booleans (written as `tensor_content`), or bytes in an array of
            dtype object or S (written as `string_val`).
        proto: The message.
    """
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    proto.dtype = data_type(array)
    if proto.dtype == types_pb2.DT_STRING:
        proto.string_val.extend(array.ravel().tolist())
    else:
        proto.tensor_content = array.tobytes()


def read_array(proto: tensor_pb2.TensorProto) -> np.ndarray:
    """Reads a message, as `tf.make_ndarray` does, and where it can with fewer steps.

    Args:
        proto: Any tensor of numbers, booleans or strings.

    Returns:
        The caller's own array; strings are bytes in an array of dtype object.

    Raises:
        TypeError: It is of a type that NumPy does not have.
        KeyError: It is of no type.
        ValueError: Content and shape do not fit.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_content:
        flat = np.frombuffer(proto.tensor_content, tf.as_dtype(proto.dtype).as_numpy_dtype)
        return flat.reshape(shape).copy()
    if proto.dtype == types_pb2.DT_STRING and len(proto.string_val) == math.prod(shape):
        return np.array(list(proto.string_val), object).reshape(shape)
    return tf.make_ndarray(proto)
