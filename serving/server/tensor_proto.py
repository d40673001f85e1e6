"""NumPy array to TensorProto and back, of types, too, that NumPy does not have itself."""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import types_pb2

from semantic_id_ranking.serving import tensor_proto


def data_type(array: np.ndarray) -> int:
    """The `DataType` of an array: dtype object and S hold bytes."""
    try:
        return tensor_proto.data_type(array)
    except KeyError:  # bfloat16, and quantized numbers.
        return tf.as_dtype(array.dtype).as_datatype_enum


def type_name(dtype: int) -> str:
    """A `DataType` as TensorFlow's messages write it, such as `float`."""
    return types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()


def write_array(array: np.ndarray, proto: tensor_pb2.TensorProto) -> None:
    """Writes an array into an empty message, as `tensor_proto.write_array` does."""
    try:
        tensor_proto.write_array(array, proto)
    except KeyError:
        proto.CopyFrom(tf.make_tensor_proto(array))


def write_values(array: np.ndarray, proto: tensor_pb2.TensorProto) -> None:
    """Writes an array into an empty message, its values in the field of their type.

    As TensorFlow Serving answers by default: clients that do not read `tensor_content` rely on it.

    Args:
        array: As of `write_array`. Types that NumPy does not have, bfloat16 apart, are written as
            `tensor_content` all the same.
        proto: The message.
    """
    dtype = data_type(array)
    if dtype != types_pb2.DT_BFLOAT16 and dtype not in tensor_proto.VALUE_FIELDS:
        write_array(array, proto)
        return
    proto.dtype = dtype
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    flat = array.ravel()
    if dtype in (types_pb2.DT_HALF, types_pb2.DT_BFLOAT16):
        proto.half_val.extend(flat.view(np.uint16).tolist())
    elif array.dtype.kind == "c":  # A real part, an imaginary part, and so on.
        parts = flat.view(flat.real.dtype).tolist()
        getattr(proto, tensor_proto.VALUE_FIELDS[dtype]).extend(parts)
    else:
        getattr(proto, tensor_proto.VALUE_FIELDS[dtype]).extend(flat.tolist())


def read_array(proto: tensor_pb2.TensorProto) -> np.ndarray:
    """Reads a message.

    Raises:
        TypeError: It is of a type that an array cannot have.
        KeyError: It is of no type.
        ValueError: Content and shape do not fit.
    """
    if proto.dtype in tensor_proto.NUMPY_TYPES:
        return tensor_proto.read_array(proto)
    return tf.make_ndarray(proto)
