"""NumPy array to TensorProto and back, without TensorFlow."""

import math
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

# A `DataType` of tensorflow/core/framework/types.proto -> its type in NumPy, and its field.
_TYPES: dict[int, tuple[str, str]] = {
    1: ("float32", "float_val"),
    2: ("float64", "double_val"),
    3: ("int32", "int_val"),
    4: ("uint8", "int_val"),
    5: ("int16", "int_val"),
    6: ("int8", "int_val"),
    7: ("object", "string_val"),
    8: ("complex64", "scomplex_val"),
    9: ("int64", "int64_val"),
    10: ("bool", "bool_val"),
    17: ("uint16", "int_val"),
    18: ("complex128", "dcomplex_val"),
    19: ("float16", "half_val"),
    22: ("uint32", "uint32_val"),
    23: ("uint64", "uint64_val"),
}
#: `DataType` -> its type in NumPy; strings are bytes in an array of dtype object.
NUMPY_TYPES = {number: np.dtype(name) for number, (name, _) in _TYPES.items()}
_NUMBERS = {dtype: number for number, dtype in NUMPY_TYPES.items()}
#: `DataType` -> the field of a TensorProto that holds its values where `tensor_content` does not.
VALUE_FIELDS = {number: field for number, (_, field) in _TYPES.items()}
#: The `DataType` of strings.
STRING = 7
_HALF = 19


def data_type(array: NDArray[Any]) -> int:
    """The `DataType` of an array: dtype object and S hold bytes.

    Raises:
        KeyError: It is of another type than `NUMPY_TYPES` holds.
    """
    if array.dtype.kind in "OS":
        return STRING
    return _NUMBERS[array.dtype]


def write_array(array: NDArray[Any], proto: Message) -> None:
    """Writes an array into an empty message, in place: messages are copied where they are assigned.

    `tf.make_tensor_proto` gives the same message, with checks that an array does not need.

    Args:
        array: Any shape. Numbers or booleans (written as `tensor_content`), or bytes in an array of
            dtype object or S (written as `string_val`).
        proto: The TensorProto, of whichever descriptor pool.

    Raises:
        KeyError: As of `data_type`.
    """
    proto.dtype = data_type(array)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if proto.dtype == STRING:
        proto.string_val.extend(array.ravel().tolist())
    else:
        proto.tensor_content = array.tobytes()


def read_array(proto: Message) -> NDArray[Any]:
    """Reads a message, as `tf.make_ndarray` does.

    Args:
        proto: The TensorProto, of numbers, booleans or strings, of whichever descriptor pool.

    Returns:
        The caller's own array; strings are bytes in an array of dtype object.

    Raises:
        KeyError: It is of another type than `NUMPY_TYPES` holds.
        ValueError: Content and shape do not fit.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    dtype = NUMPY_TYPES[proto.dtype]
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, dtype).reshape(shape).copy()
    values = getattr(proto, VALUE_FIELDS[proto.dtype])
    if proto.dtype == STRING:
        flat = np.array(list(values), object)
    elif proto.dtype == _HALF:
        flat = np.fromiter(values, np.int32, len(values)).astype(np.uint16).view(dtype)
    elif dtype.kind == "c":
        parts = np.fromiter(values, np.float64, len(values))
        flat = (parts[::2] + 1j * parts[1::2]).astype(dtype)
    elif VALUE_FIELDS[proto.dtype] == "int_val":
        flat = np.fromiter(values, np.int32, len(values)).astype(dtype)
    else:
        flat = np.fromiter(values, dtype, len(values))
    if not len(flat):
        return np.full(shape, b"" if proto.dtype == STRING else 0, dtype)
    # The last value stands for all that are not there.
    missing = math.prod(shape) - len(flat)
    return (np.pad(flat, (0, missing), "edge") if missing > 0 else flat).reshape(shape)
