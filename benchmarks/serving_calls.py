"""Calls to rank that are compared, and calls to parts of their work."""

import http.client
import json
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from benchmarks.serving_models import ExportableRanker
from benchmarks.serving_models import RankRequest
from benchmarks.serving_models import SID_INPUTS
from semantic_id_ranking._compat import session_callable
from semantic_id_ranking.serving.client import open_channel
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.tensor_proto import write_array

PREDICT = "/tensorflow.serving.PredictionService/Predict"

Call = Callable[[int], Any]


def in_process(path: str, requests: Sequence[RankRequest]) -> Call:
    """Calls the signature `rank` of a SavedModel, from arrays to arrays."""
    model = tf.saved_model.load(path)
    rank = model.signatures["rank"]
    inputs = [request.arrays(rank.structured_input_signature[1]) for request in requests]

    def call(number: int) -> dict[str, np.ndarray]:
        arrays = inputs[number % len(inputs)]
        outputs = rank(**{alias: tf.constant(array) for alias, array in arrays.items()})
        return {task: scores.numpy() for task, scores in outputs.items()}

    call.model = model  # The signature needs its variables.
    return call


def through_server(client: RankerClient, requests: Sequence[RankRequest]) -> Call:
    """Calls the same through a client, from arrays to arrays."""
    arguments = [request.arguments() for request in requests]
    return lambda number: client.rank(**arguments[number % len(arguments)])


def examples_in_process(path: str, request: RankRequest) -> Call:
    """Scores the candidates of a request as serialized tf.Examples."""
    model = tf.saved_model.load(path)
    examples = request.examples()

    def call(_: int) -> dict[str, np.ndarray]:
        outputs = model.signatures["serving_default"](examples=tf.constant(examples))
        return {task: scores.numpy() for task, scores in outputs.items()}

    return call


def examples_through_server(
    address: str, model: str, request: RankRequest, from_arrays: bool = False
) -> Call:
    """The same through the server; `from_arrays`, as `rank`, rather than serialized beforehand."""
    examples = request.examples()
    stub = PredictionServiceStub(open_channel(address))

    def call(_: int) -> dict[str, np.ndarray]:
        message = predict_pb2.PredictRequest()
        message.model_spec.name = model
        sent = request.examples() if from_arrays else examples
        write_array(sent, message.inputs["examples"])
        answer = stub.Predict(message, timeout=30.0)
        return {task: tf.make_ndarray(scores) for task, scores in answer.outputs.items()}

    return call


def reading_in_process(ranker: ExportableRanker, request: RankRequest) -> Call:
    """Parses the same tf.Examples as a ranker's `serving_default` does, and no more."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def read(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(serialized, ranker.parsing_spec)
        return {name: getattr(one, "values", one) for name, one in parsed.items()}

    examples = request.examples()
    return lambda _: read(tf.constant(examples))


def session_in_process(path: str, request: RankRequest) -> Call:
    """Runs `rank` as the server does, in a session, from arrays to arrays, and no more."""
    with tf.Graph().as_default():
        session = tf.compat.v1.Session()
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
    rank = meta_graph.signature_def["rank"]
    feeds = {alias: info.name for alias, info in rank.inputs.items()}
    fetches = [info.name for info in rank.outputs.values()]
    call = session_callable(session, list(feeds.values()), fetches)
    arrays = list(request.arrays(feeds).values())
    return lambda _: call(*arrays)


def predict_messages(address: str, message: bytes) -> Call:
    """Sends the bytes of a request to a server, and does not read the answer."""
    send = open_channel(address).unary_unary(PREDICT)
    return lambda _: send(message, timeout=30.0)


def predict_json(address: str, model: str, request: RankRequest) -> Call:
    """Sends the same over REST, on a connection that stays open, and does not read the answer."""
    inputs = {
        alias: np.vectorize(bytes.decode, otypes=[object])(array).tolist()
        if array.dtype == object
        else array.tolist()
        for alias, array in request.arrays(SID_INPUTS).items()
    }
    body = json.dumps({"signature_name": "rank", "inputs": inputs})
    connection = http.client.HTTPConnection(address)

    def call(_: int) -> bytes:
        connection.request("POST", f"/v1/models/{model}:predict", body)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(content.decode())
        return content

    return call


def echo(address: str, message: bytes) -> Call:
    """Sends the bytes of a request to an `EchoServer`."""
    send = open_channel(address).unary_unary("/echo")
    return lambda _: send(message, timeout=30.0)


def rank_messages(address: str, model: str, request: RankRequest) -> tuple[bytes, bytes]:
    """A request to `rank` and its answer, as gRPC sends them."""
    message = predict_pb2.PredictRequest()
    message.model_spec.name, message.model_spec.signature_name = model, "rank"
    for alias, array in request.arrays(SID_INPUTS).items():
        write_array(array, message.inputs[alias])
    serialized = message.SerializeToString()
    return serialized, open_channel(address).unary_unary(PREDICT)(serialized, timeout=30.0)
