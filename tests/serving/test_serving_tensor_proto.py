"""Arrays to messages and back, against TensorFlow's own functions."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.tensor_proto import write_array


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
