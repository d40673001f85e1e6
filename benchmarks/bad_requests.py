"""Invalid requests to a model server."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import inference_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import regression_pb2

PREDICT = "/tensorflow.serving.PredictionService/Predict"
_METHODS = {
    PREDICT: predict_pb2.PredictRequest,
    "/tensorflow.serving.PredictionService/Classify": classification_pb2.ClassificationRequest,
    "/tensorflow.serving.PredictionService/Regress": regression_pb2.RegressionRequest,
    "/tensorflow.serving.PredictionService/MultiInference": inference_pb2.MultiInferenceRequest,
    "/tensorflow.serving.PredictionService/GetModelMetadata": (
        get_model_metadata_pb2.GetModelMetadataRequest
    ),
    "/tensorflow.serving.ModelService/GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
}
# Ranges of whole numbers: codes, negative ones, codes beyond any K, whatever fits.
_INTEGERS = ((0, 4), (-3, 0), (2**11, 2**31 - 1), (-(2**31), 2**31 - 1))
_SIZES = (0, 1, 3, 2**20, 2**31, 2**40, 2**62, -1, -(2**40))

Signatures = Mapping[str, meta_graph_pb2.SignatureDef]


class BadRequests:
    """Draws requests: good ones of what is served, each spoilt in one respect.

    The configuration is left alone: a request to reload it may rightly unload every model.

    Args:
        models: The signatures of each model by name.
        seed: The same seed and number give the same request.
    """

    def __init__(self, models: Mapping[str, Signatures], seed: int = 0):
        self._seed = seed
        self._signatures = [
            (model, name, signature)
            for model, signatures in sorted(models.items())
            for name, signature in sorted(signatures.items())
        ]
        self._spoil = {
            "dtype": self._other_dtype,
            "shape": self._other_shape,
            "content": self._other_content,
            "inputs": self._other_inputs,
            "names": self._other_names,
        }

    def kinds(self) -> list[str]:
        """The kinds of requests, in the order in which they take turns."""
        return ["good", *self._spoil, "truncated", "flipped", "bytes", "method"]

    def make(self, number: int) -> tuple[str, bytes]:
        """Draws a request.

        Args:
            number: Which one; says by which of `kinds` it is spoilt.

        Returns:
            The gRPC method and the serialized message.
        """
        rng = np.random.default_rng([self._seed, number])
        kind = self.kinds()[number % len(self.kinds())]
        if kind == "bytes":
            return _method(rng), rng.bytes(rng.integers(0, 2000))
        if kind == "method":
            method = _method(rng)
            return method, self._of_method(rng, method)
        request = self._good(rng)
        if kind in self._spoil:
            self._spoil[kind](rng, request)
        message = request.SerializeToString(deterministic=True)
        if kind == "truncated":
            message = message[: rng.integers(0, len(message))]
        if kind == "flipped":
            flipped = bytearray(message)
            for position in rng.integers(0, len(message), rng.integers(1, 10)):
                flipped[position] = rng.integers(0, 256)
            message = bytes(flipped)
        return PREDICT, message

    def _good(self, rng: np.random.Generator) -> predict_pb2.PredictRequest:
        model, name, signature = self._signatures[rng.integers(len(self._signatures))]
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = name
        size = int(rng.integers(0, 20))
        for alias, info in sorted(signature.inputs.items()):
            shape = [size if dim.size < 0 else dim.size for dim in info.tensor_shape.dim]
            request.inputs[alias].CopyFrom(_tensor(rng, shape, info.dtype))
        return request

    def _of_method(self, rng: np.random.Generator, method: str) -> bytes:
        """A request of any method whose examples hold anything."""
        good = self._good(rng)
        request = _METHODS[method]()
        if isinstance(request, predict_pb2.PredictRequest):
            return good.SerializeToString(deterministic=True)
        if isinstance(request, inference_pb2.MultiInferenceRequest):
            for _ in range(rng.integers(0, 3)):
                task = request.tasks.add(model_spec=good.model_spec)
                task.method_name = rng.choice(["", "tensorflow/serving/regress", "x"])
        else:
            request.model_spec.CopyFrom(good.model_spec)
        if hasattr(request, "metadata_field"):
            fields = ["signature_def", "x", ""]
            request.metadata_field.extend(rng.choice(fields, rng.integers(0, 3)).tolist())
        if hasattr(request, "input"):
            for _ in range(rng.integers(0, 3)):
                request.input.example_list.examples.add(features=_features(rng))
        return request.SerializeToString(deterministic=True)

    def _other_dtype(self, rng: np.random.Generator, request: predict_pb2.PredictRequest) -> None:
        for proto in _some_input(rng, request):
            proto.dtype = int(rng.choice([*types_pb2.DataType.values(), 99, 2**31 - 1]))

    def _other_shape(self, rng: np.random.Generator, request: predict_pb2.PredictRequest) -> None:
        for proto in _some_input(rng, request):
            del proto.tensor_shape.dim[:]
            proto.tensor_shape.unknown_rank = bool(rng.random() < 0.1)
            for _ in range(rng.integers(0, 40 if rng.random() < 0.1 else 5)):
                proto.tensor_shape.dim.add(size=int(rng.choice(_SIZES)))

    def _other_content(self, rng: np.random.Generator, request: predict_pb2.PredictRequest) -> None:
        for proto in _some_input(rng, request):
            proto.tensor_content = rng.bytes(rng.integers(0, 300))
            if rng.random() < 0.5:
                proto.ClearField("tensor_content")
                proto.float_val.extend(rng.normal(size=rng.integers(0, 9)).tolist())
                proto.string_val.extend([rng.bytes(5)] * rng.integers(0, 3))

    def _other_inputs(self, rng: np.random.Generator, request: predict_pb2.PredictRequest) -> None:
        for alias in sorted(request.inputs):
            if rng.random() < 0.3:
                del request.inputs[alias]
        for alias in rng.choice(["", "x", "candidate_sid", "examples"], rng.integers(0, 3)):
            request.inputs[alias].CopyFrom(_tensor(rng, [2], types_pb2.DT_FLOAT))
        request.output_filter.extend(
            rng.choice(["click", "sid", "x", ""], rng.integers(0, 3)).tolist()
        )

    def _other_names(self, rng: np.random.Generator, request: predict_pb2.PredictRequest) -> None:
        spec = request.model_spec
        spec.name = rng.choice([spec.name, "", "x", "x" * 5000])
        spec.signature_name = rng.choice([spec.signature_name, "", "x", "ü" * 2000])
        if rng.random() < 0.5:
            spec.version.value = int(rng.choice([0, 1, 2, -1, 2**62]))
        elif rng.random() < 0.5:
            spec.version_label = rng.choice(["", "stable"])


def _method(rng: np.random.Generator) -> str:
    return list(_METHODS)[rng.integers(len(_METHODS))]


def _some_input(
    rng: np.random.Generator, request: predict_pb2.PredictRequest
) -> list[tensor_pb2.TensorProto]:
    aliases = sorted(request.inputs)
    return [request.inputs[aliases[rng.integers(len(aliases))]]] if aliases else []


def _tensor(rng: np.random.Generator, shape: list[int], dtype: int) -> tensor_pb2.TensorProto:
    kind = tf.as_dtype(dtype)
    if kind == tf.string:
        values = [_example(rng) for _ in range(int(np.prod(shape)))]
        return tf.make_tensor_proto(values, kind, shape)
    if kind.is_integer:
        low, high = _INTEGERS[rng.integers(len(_INTEGERS))]
        return tf.make_tensor_proto(rng.integers(low, high, shape), kind)
    values = rng.normal(size=shape) * rng.choice([1.0, 1e30, np.inf, np.nan])
    return tf.make_tensor_proto(values.astype(kind.as_numpy_dtype), kind)


def _example(rng: np.random.Generator) -> bytes:
    """A tf.Example, an empty one, or no tf.Example at all."""
    draw = rng.random()
    if draw < 0.3:
        return rng.bytes(rng.integers(0, 30)) if draw < 0.15 else b""
    example = tf.train.Example(features=_features(rng))
    return example.SerializeToString(deterministic=True)


def _features(rng: np.random.Generator) -> tf.train.Features:
    """Few features of any type."""
    features = tf.train.Features()
    for name in ("candidate_sid", "history_sid", "context_hour", "candidate_item_id"):
        count = rng.integers(0, 9)
        feature = features.feature[name]
        if rng.random() < 0.6:
            feature.int64_list.value.extend(rng.integers(-3, 3000, count).tolist())
        elif rng.random() < 0.5:
            feature.float_list.value.extend(rng.normal(size=count).tolist())
        else:
            feature.bytes_list.value.extend([rng.bytes(4)] * count)
    return features
