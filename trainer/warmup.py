"""Warm-up requests of an exported model."""

import os
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

REQUESTS_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")

# Else the candidates of many users, with their embeddings, would make a file of many megabytes.
_INNER = 10


def write_warmup_requests(
    directory: str,
    model_name: str,
    strings: Mapping[str, bytes] | None = None,
    sizes: Sequence[int] = (1, 100),
) -> None:
    """Adds requests for every signature to a SavedModel.

    They are written to `assets.extra/tf_serving_warmup_requests`, TFRecords of PredictionLog, which
    TensorFlow Serving replays when it loads the model; a request that fails would stop the load.

    Args:
        directory: The SavedModel.
        model_name: Name under which it is served.
        strings: What string inputs hold, by alias, such as a serialized tf.Example; by default the
            empty string. Numbers are 0.
        sizes: Requests of each signature: the size of the first dimension that an input leaves
            open, and of the one dimension of an input of any rank. Further ones are at most 10.
    """
    os.makedirs(os.path.join(directory, os.path.dirname(REQUESTS_FILE)), exist_ok=True)
    with tf.io.TFRecordWriter(os.path.join(directory, REQUESTS_FILE)) as writer:
        for name, signature in _signatures(directory):
            for size in sizes if _has_open_dimension(signature) else (1,):
                log = prediction_log_pb2.PredictionLog()
                request = log.predict_log.request
                request.model_spec.name = model_name
                request.model_spec.signature_name = name
                for alias, info in signature.inputs.items():
                    proto = _tensor(info, size, (strings or {}).get(alias, b""))
                    request.inputs[alias].CopyFrom(proto)
                writer.write(log.SerializeToString())


def blank_example(
    parsing_spec: Mapping[
        str, tf.io.FixedLenFeature | tf.io.FixedLenSequenceFeature | tf.io.VarLenFeature
    ],
) -> bytes:
    """Makes a tf.Example that parses.

    Args:
        parsing_spec: What `tf.io.parse_example` reads.

    Returns:
        The serialized example: zeros and empty strings in features of fixed length, nothing in the
        others.
    """
    features = tf.train.Features()
    for name, spec in parsing_spec.items():
        if not isinstance(spec, tf.io.FixedLenFeature):
            continue
        count = int(np.prod(spec.shape, dtype=np.int64))
        feature = features.feature[name]
        if spec.dtype == tf.string:
            feature.bytes_list.value.extend([b""] * count)
        elif spec.dtype.is_floating:
            feature.float_list.value.extend([0.0] * count)
        else:
            feature.int64_list.value.extend([0] * count)
    return tf.train.Example(features=features).SerializeToString()


def _signatures(directory: str) -> Iterator[tuple[str, meta_graph_pb2.SignatureDef]]:
    """The signatures that can be called, by name."""
    saved_model = saved_model_pb2.SavedModel()
    with open(os.path.join(directory, "saved_model.pb"), "rb") as file:
        saved_model.ParseFromString(file.read())
    (graph,) = saved_model.meta_graphs
    for name, signature in sorted(graph.signature_def.items()):
        if signature.method_name == tf.saved_model.PREDICT_METHOD_NAME:
            yield name, signature


def _has_open_dimension(signature: meta_graph_pb2.SignatureDef) -> bool:
    shapes = [info.tensor_shape for info in signature.inputs.values()]
    return any(shape.unknown_rank or any(dim.size < 0 for dim in shape.dim) for shape in shapes)


def _tensor(info: meta_graph_pb2.TensorInfo, size: int, string: bytes) -> tensor_pb2.TensorProto:
    dtype = tf.as_dtype(info.dtype)
    shape, left = [], size
    for dim in info.tensor_shape.dim:
        shape.append(left if dim.size < 0 else dim.size)
        left = min(left, _INNER) if dim.size < 0 else left
    if info.tensor_shape.unknown_rank:
        shape = [size]
    count = int(np.prod(shape, dtype=np.int64))
    # Of bytes in an array, NumPy would strip the zeros at the end.
    values = [string] * count if dtype == tf.string else np.zeros(shape, dtype.as_numpy_dtype)
    return tf.make_tensor_proto(values, dtype, shape)
