"""SIGTERM of `sid serve`, a process of its own, with requests under way on both ports."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent import futures

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import ModelCallError
from tests.serving.server_calls import until
from tests.serving.tiny_models import Encoder
from tests.serving.tiny_models import export
from tests.serving.tiny_models import predict_request


class GatedModel(tf.Module):
    """Gives back what it got, once there is a file."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="a"),
            tf.TensorSpec([], tf.string, name="file"),
        ]
    )
    def wait(self, a, file):
        form = {"output_types": [tf.int64], "output_shapes": [[]]}

        def sleep(waited):
            zero = tf.constant(0, tf.int64)
            numbers = tf.raw_ops.RangeDataset(start=zero, stop=zero + 1, step=zero + 1, **form)
            slow = tf.raw_ops.SleepDataset(
                input_dataset=numbers, sleep_microseconds=zero + 20_000, **form
            )
            (first,) = tf.raw_ops.DatasetToSingleElement(dataset=slow, **form)
            return (waited + first,)

        (waited,) = tf.while_loop(
            lambda _: tf.equal(tf.size(tf.io.matching_files(file)), 0),
            sleep,
            (tf.constant(0, tf.int64),),
        )
        return {"b": a + tf.cast(waited, tf.float32)}

    def signatures(self):
        return {"serving_default": self.wait}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    export(GatedModel(), root / "gated", 1)
    export(Encoder(), root / "semantic_id", 1)
    return root


@pytest.fixture
def file(tmp_path):
    """Not there yet."""
    return str(tmp_path / "file")


@contextlib.contextmanager
def running(models, *arguments):
    command = [sys.executable, "-m", "semantic_id_ranking.cli.main", "serve"]
    command += ["--models", str(models), "--port", "0", "--rest-port", "0", *arguments]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    try:
        line = process.stdout.readline()
        found = re.search(r" at (\S+) \(gRPC\) and (\S+) \(REST\)", line)
        process.address, process.rest_address = found[1], found[2]
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def rest_connection(process):
    host, _, port = process.rest_address.rpartition(":")
    return http.client.HTTPConnection(host, int(port), timeout=60)


def send(connection, number, file):
    body = json.dumps({"inputs": {"a": [float(number)], "file": file}})
    connection.request("POST", "/v1/models/gated:predict", body)


def listens(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


def caller(channel, file):
    """A function that sends a number, and gives a future of the answer."""
    call = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict.future
    return lambda number: call(predict_request("gated", a=[float(number)], file=file))


def outcome(future):
    """The number in the answer, or the status code."""
    try:
        return tf.make_ndarray(future.result(60).outputs["b"]).item()
    except grpc.RpcError as error:
        return error.code().name


def test_none_of_a_hundred_requests_is_lost(models, file):
    with running(models) as process, grpc.insecure_channel(process.address) as channel:
        call = caller(channel, file)
        connections = [rest_connection(process) for _ in range(50)]
        for number, connection in enumerate(connections):
            send(connection, number, file)
        over_grpc = [call(number) for number in range(50)]
        time.sleep(2)  # All come in; as many run as there are threads.
        process.send_signal(signal.SIGTERM)
        until(lambda: not any(map(listens, (process.address, process.rest_address))))
        assert outcome(call(50)) == "UNAVAILABLE"
        assert not any(future.done() for future in over_grpc)
        pathlib.Path(file).touch()
        assert [outcome(future) for future in over_grpc] == list(range(50))
        answers = [connection.getresponse() for connection in connections]
        assert {answer.status for answer in answers} == {200}
        assert [json.load(answer) for answer in answers] == [
            {"outputs": [float(number)]} for number in range(50)
        ]
        assert process.stdout.read() == "drained and stopped\n"
        assert process.wait(30) == 0


def test_clients_that_call_all_the_time_get_answers_and_then_unavailable(models):
    """Never CANCELLED, which gRPC's servers answer to what arrives just as they stop."""
    begun, outcomes = [], []

    def call_until_it_fails(address):
        with EncoderClient(address, timeout=3.0) as encoder:
            try:
                while True:
                    begun.append(encoder.encode(np.float32([[1, 2, 3]])).tolist() == [[1, 2]])
            except ModelCallError as error:
                outcomes.append(error.code.name)

    with running(models) as process, futures.ThreadPoolExecutor(16) as pool:
        calling = [pool.submit(call_until_it_fails, process.address) for _ in range(16)]
        until(lambda: len(begun) > 200, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        for one in calling:
            one.result()
    assert all(begun)
    assert outcomes == ["UNAVAILABLE"] * 16


def test_what_outlasts_the_grace_is_unavailable_and_does_not_keep_the_process(models, file):
    with (
        running(models, "--grace-seconds", "0.5") as process,
        grpc.insecure_channel(process.address) as channel,
    ):
        call = caller(channel, file)
        connections = [rest_connection(process) for _ in range(20)]
        for connection in connections:
            send(connection, 1, file)
        over_grpc = [call(1) for _ in range(20)]
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert {outcome(future) for future in over_grpc} == {"UNAVAILABLE"}
        for connection in connections:
            with pytest.raises((http.client.HTTPException, OSError)):
                connection.getresponse()
        assert process.wait(10) == 0
        assert process.stdout.read() == "drained and stopped\n"
