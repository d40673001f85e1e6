"""Limits of message size and concurrency, and draining, on both ports."""

import concurrent.futures
import json
import socket
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.server import Limits
from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server.limits import AT_ONCE
from tests.serving import tiny_models
from tests.serving.held_model import HeldModel
from tests.serving.server_calls import refusal
from tests.serving.server_calls import until
from tests.serving.tiny_models import predict_request


def listens(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


class Caller:
    """Calls the model over gRPC and over REST."""

    def __init__(self, server):
        self.server = server
        self.channel = grpc.insecure_channel(server.address)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.pool = concurrent.futures.ThreadPoolExecutor(16)

    def grpc(self):
        """A future of the answer."""
        return self.predictions.Predict.future(predict_request("held", a=[1.0]))

    def rest(self, size=1):
        """Status and body."""
        url = f"http://{self.server.rest_address}/v1/models/held:predict"
        body = json.dumps({"inputs": [1.0] * size}).encode()
        try:
            with urllib.request.urlopen(url, body, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def held(tmp_path):
    model = HeldModel()
    tiny_models.export(model, tmp_path / "held", 1)
    yield model, {"held": tmp_path / "held"}
    model.let_go.set()


def test_requests_beyond_the_limit_are_refused_at_once(held):
    model, models = held
    limits = Limits(max_concurrent_requests=1)
    with ModelServer(models, rest_port=0, limits=limits) as server:
        caller = Caller(server)
        over_grpc, over_rest = caller.grpc(), caller.pool.submit(caller.rest)
        for _ in range(2):
            assert model.entered.acquire(timeout=10)
        request = predict_request("held", a=[1.0])
        assert refusal(caller.predictions.Predict, request)[0] == "RESOURCE_EXHAUSTED"
        code, body = caller.rest()
        assert code == 429
        assert "too many requests in progress; the limit is 1" in body
        model.let_go.set()
        assert tf.make_ndarray(over_grpc.result(10).outputs["b"]).tolist() == [1.0]
        assert over_rest.result(10) == (200, {"outputs": [1.0]})
        assert caller.rest() == (200, {"outputs": [1.0]})
        assert caller.grpc().result(10).model_spec.version.value == 1


def test_some_requests_are_worked_on_and_the_others_wait(held):
    model, models = held
    with ModelServer(models, rest_port=0) as server:
        caller = Caller(server)
        waiting = AT_ONCE + 1  # A thread is left for the status.
        over_grpc = [caller.grpc() for _ in range(waiting)]
        for _ in range(AT_ONCE):
            assert model.entered.acquire(timeout=10)
        over_rest = [caller.pool.submit(caller.rest) for _ in range(waiting)]
        for _ in range(AT_ONCE):
            assert model.entered.acquire(timeout=10)
        assert not model.entered.acquire(timeout=0.5)
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "held"
        status = model_service_pb2_grpc.ModelServiceStub(caller.channel).GetModelStatus
        assert status(request, timeout=10).model_version_status
        model.let_go.set()
        assert {future.result(10).model_spec.version.value for future in over_grpc} == {1}
        assert {future.result(10)[0] for future in over_rest} == {200}


def test_messages_beyond_the_limit_are_refused(held):
    model, models = held
    model.let_go.set()
    with ModelServer(
        models, rest_port=0, limits=Limits(max_message_bytes=10_000, max_body_bytes=10_000)
    ) as server:
        caller = Caller(server)
        large = predict_request("held", a=np.zeros(2500, np.float32))
        assert refusal(caller.predictions.Predict, large)[0] == "RESOURCE_EXHAUSTED"
        small = predict_request("held", a=np.zeros(2400, np.float32))
        assert len(caller.predictions.Predict(small).outputs["b"].float_val) == 2400
        assert caller.rest(size=2500)[0] == 413
        assert caller.rest(size=1500)[0] == 200


def test_draining_answers_what_is_in_progress_and_takes_nothing_new(held):
    model, models = held
    server = ModelServer(models, rest_port=0).start()
    caller = Caller(server)
    over_grpc, over_rest = caller.grpc(), caller.pool.submit(caller.rest)
    for _ in range(2):
        assert model.entered.acquire(timeout=10)
    stopping = caller.pool.submit(server.stop)

    def refused():
        return not any(listens(address) for address in (server.address, server.rest_address))

    until(refused)
    assert not any(future.done() for future in (stopping, over_grpc, over_rest))
    model.let_go.set()
    assert tf.make_ndarray(over_grpc.result(10).outputs["b"]).tolist() == [1.0]
    assert over_rest.result(10) == (200, {"outputs": [1.0]})
    stopping.result(10)


def test_draining_ends_with_the_grace(held):
    model, models = held
    server = ModelServer(models, rest_port=0).start()
    caller = Caller(server)
    over_rest = caller.pool.submit(caller.rest)
    assert model.entered.acquire(timeout=10)
    server.stop(grace=0.05)
    assert isinstance(over_rest.exception(10), OSError)


def test_a_taken_rest_port_is_refused(held):
    _, models = held
    with ModelServer(models, rest_port=0) as server:
        port = int(server.rest_address.rpartition(":")[2])
        with pytest.raises(RuntimeError, match=f"REST port {port}: .*in use"):
            ModelServer(models, rest_port=port).start()
