"""Arrays to messages and back, against TensorFlow's own functions."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

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
