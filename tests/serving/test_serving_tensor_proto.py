"""Arrays to messages and back, against TensorFlow's own functions."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import types_pb2

from semantic_id_ranking.serving.server import tensor_proto as server_tensor_proto
from semantic_id_ranking.serving.tensor_proto import NUMPY_TYPES
from semantic_id_ranking.serving.tensor_proto import read_array
from semantic_id_ranking.serving.tensor_proto import write_array


@pytest.mark.parametrize(
    "array",
    [
        np.float32([[1.5, -2], [0, np.inf]]),
        np.arange(24).reshape(2, 3, 4)[:, ::2],  # not contiguous
        np.int32(7),
        np.zeros((1, 0, 4), np.int64),
        np.array([True, False]),
        np.array([b"a\0", b"", "ü".encode()], object),
        np.array([[b"ab"], [b"c"]]),
        np.array([], object),
    ],
)
def test_the_message_is_tensorflows(array):
    array = np.asarray(array)
    proto = tensor_pb2.TensorProto()
    write_array(array, proto)
    official = tf.make_tensor_proto(array)
    assert (proto.dtype, proto.tensor_shape) == (official.dtype, official.tensor_shape)
    np.testing.assert_array_equal(tf.make_ndarray(proto), tf.make_ndarray(official))
    np.testing.assert_array_equal(tf.make_ndarray(proto), array.astype(object))


@pytest.mark.parametrize(
    "array",
    [
        np.float32([[1.5, -2], [0, np.inf]]),
        np.int64(7),
        np.zeros((1, 0, 4), np.int64),
        np.array([True, False]),
        np.array([[b"a\0"], [b""]], object),
    ],
)
def test_a_message_is_read_as_tensorflow_reads_it(array):
    proto = tf.make_tensor_proto(array)
    read = read_array(proto)
    assert (read.dtype, read.shape) == (tf.make_ndarray(proto).dtype, np.shape(array))
    np.testing.assert_array_equal(read, array)


def test_an_array_that_was_read_is_the_callers_own():
    proto = tf.make_tensor_proto(np.arange(3.0))
    read_array(proto)[:] = 0
    np.testing.assert_array_equal(read_array(proto), [0, 1, 2])


def test_content_that_does_not_fill_the_shape_is_refused():
    proto = tf.make_tensor_proto(np.arange(3.0))
    proto.tensor_shape.dim[0].size = 4
    with pytest.raises(ValueError, match="reshape"):
        read_array(proto)


def test_the_types_are_tensorflows():
    for number, dtype in NUMPY_TYPES.items():
        assert np.dtype(tf.as_dtype(number).as_numpy_dtype) == dtype, number
    small = ("float4", "float6", "float8", "int4", "int2", "uint4", "uint2")
    others = ("bfloat16", *small, "q", "resource", "variant")
    for number in set(types_pb2.DataType.values()) - set(NUMPY_TYPES) - {types_pb2.DT_INVALID}:
        name = types_pb2.DataType.Name(number).removeprefix("DT_").lower()
        assert name.endswith("_ref") or name.startswith(others), name


def test_values_that_are_no_content_are_read_as_tensorflow_reads_them():
    """As TensorFlow Serving sends them: in fields of their own, the last for all that follow."""
    for number, dtype in NUMPY_TYPES.items():
        kind = tf.as_dtype(number)
        given = np.array([b"a", b"\xff"] if kind == tf.string else [1, 0], dtype)
        if dtype.kind == "c":
            given = given * np.array(1 - 2j, dtype)
        for length in (0, 1, 2):
            proto = tensor_pb2.TensorProto(dtype=number)
            for one in given[:length]:
                # A single value goes into a field of its type.
                proto.MergeFrom(tf.make_tensor_proto(one, kind))
            for size in (2, 3):
                proto.tensor_shape.dim.add(size=size)
            assert not proto.tensor_content
            read = read_array(proto)
            assert (read.dtype, read.shape) == (dtype, (2, 3)), kind
            if length or kind != tf.string:  # TensorFlow's own makes texts of no bytes.
                np.testing.assert_array_equal(read, tf.make_ndarray(proto), err_msg=kind.name)
            else:
                assert set(read.ravel()) == {b""}
            np.testing.assert_array_equal(read.ravel()[:length], given[:length])


@pytest.mark.parametrize(
    ("array", "field", "values"),
    [
        (np.float32([[1.5, -2], [0, np.inf]]), "float_val", [1.5, -2, 0, np.inf]),
        (np.float64(0.1), "double_val", [0.1]),
        (np.arange(8).reshape(2, 4)[:, ::2], "int64_val", [0, 2, 4, 6]),  # not contiguous
        (np.array([1, 2**32 - 1], np.uint32), "uint32_val", [1, 2**32 - 1]),
        (np.array([2**64 - 1], np.uint64), "uint64_val", [2**64 - 1]),
        (np.array([-1, 7], np.int8), "int_val", [-1, 7]),
        (np.array([True, False]), "bool_val", [True, False]),
        (np.array([b"a\0", b""], object), "string_val", [b"a\0", b""]),
        (np.zeros((1, 0, 4), np.int32), "int_val", []),
        (np.float16([1, -2]), "half_val", [0x3C00, 0xC000]),
        (np.complex64([1 - 2j, 3]), "scomplex_val", [1, -2, 3, 0]),
        (np.complex128([1 - 2j]), "dcomplex_val", [1, -2]),
    ],
)
def test_a_server_answers_with_values_in_the_field_of_their_type(array, field, values):
    array, proto = np.asarray(array), tensor_pb2.TensorProto()
    server_tensor_proto.write_values(array, proto)
    assert list(getattr(proto, field)) == values
    assert not proto.tensor_content
    read = tf.make_ndarray(proto)
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_a_server_answers_with_types_that_numpy_does_not_have():
    array = tf.constant([1.5, -2.0], tf.bfloat16).numpy()
    proto = tensor_pb2.TensorProto()
    server_tensor_proto.write_values(array, proto)
    assert list(proto.half_val) == [0x3FC0, 0xC000]
    np.testing.assert_array_equal(tf.make_ndarray(proto), array)


def test_a_server_reads_and_writes_what_numpy_does_not_have_itself():
    array = tf.constant([1.5, -2.0], tf.bfloat16).numpy()
    proto = tensor_pb2.TensorProto()
    server_tensor_proto.write_array(array, proto)
    assert proto == tf.make_tensor_proto(array)
    np.testing.assert_array_equal(server_tensor_proto.read_array(proto), array)
    assert server_tensor_proto.data_type(array) == types_pb2.DT_BFLOAT16
    with pytest.raises(KeyError):
        read_array(proto)
