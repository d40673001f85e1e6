"""Clients against a server that is slow, absent or broken on purpose."""

import asyncio
import contextlib
import socket
import threading
import time
from concurrent import futures

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.client import AsyncEncoderClient
from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import ModelCallError
from semantic_id_ranking.serving.tensor_proto import write_array

EMBEDDING = [[1.0, 2.0]]


class FlakyEncoder(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers [[7]], once the refusals asked for are used up and `seconds` are over."""

    def __init__(self):
        self.refusals = []
        self.calls = 0
        self.peers = set()
        self.delay = threading.Event()
        self.seconds = 0.0

    def GetModelMetadata(self, request, context):  # noqa: N802
        signatures = get_model_metadata_pb2.SignatureDefMap()
        shape = signatures.signature_def["serving_default"].inputs["embedding"].tensor_shape
        shape.dim.add(size=-1)
        shape.dim.add(size=2)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.version.value = 1
        response.metadata["signature_def"].Pack(signatures)
        return response

    def Predict(self, request, context):  # noqa: N802
        response = predict_pb2.PredictResponse()
        response.model_spec.version.value = 1
        if request.model_spec.signature_name == "info":
            write_array(np.array(b"space-a", object), response.outputs["fingerprint"])
            write_array(np.array(1), response.outputs["levels"])
            write_array(np.array(8), response.outputs["codebook_size"])
            return response
        self.calls += 1
        self.peers.add(context.peer())
        if self.refusals:
            context.abort(self.refusals.pop(0), "on purpose")
        self.delay.wait(self.seconds)
        write_array(np.array([[7]], np.int32), response.outputs["sid"])
        return response


class Waiting:
    """An AsyncEncoderClient whose calls are waited for."""

    def __init__(self, *args, **kwargs):
        self.loop = asyncio.new_event_loop()
        self.client = self.wait(self.make(*args, **kwargs))

    async def make(self, *args, **kwargs):
        return AsyncEncoderClient(*args, **kwargs)

    def wait(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def encode(self, embeddings):
        return self.wait(self.client.encode(embeddings))

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.wait(self.client.close())
        self.loop.close()


def unused_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def listen(servicer, address="127.0.0.1:0"):
    server = grpc.server(
        futures.ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)]
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port(address)
    server.start()
    return server, f"127.0.0.1:{port}"


@pytest.fixture
def flaky():
    servicer = FlakyEncoder()
    server, servicer.address = listen(servicer)
    yield servicer
    servicer.delay.set()
    server.stop(None).wait()


def test_unavailable_is_tried_again(flaky):
    flaky.refusals = [grpc.StatusCode.UNAVAILABLE] * 3
    with EncoderClient(flaky.address) as encoder:
        np.testing.assert_array_equal(encoder.encode(EMBEDDING), [[7]])
    assert flaky.calls == 4


def test_the_async_client_tries_again_too_and_gives_up_in_time(flaky):
    flaky.refusals = [grpc.StatusCode.UNAVAILABLE] * 3

    async def encode():
        async with AsyncEncoderClient(flaky.address, timeout=2.0) as encoder:
            sids = await encoder.encode(EMBEDDING)
            codes = []
            flaky.refusals = [grpc.StatusCode.INTERNAL]
            for seconds in (0.0, 20.0):
                flaky.seconds = seconds
                with pytest.raises(ModelCallError) as caught:
                    await encoder.encode(EMBEDDING)
                codes.append(caught.value.code.name)
            return sids.tolist(), codes

    assert asyncio.run(encode()) == ([[7]], ["INTERNAL", "DEADLINE_EXCEEDED"])
    assert flaky.calls == 6


def test_all_calls_go_through_one_connection(flaky):
    with EncoderClient(flaky.address) as encoder:
        for _ in range(5):
            encoder.encode(EMBEDDING)
    assert (flaky.calls, len(flaky.peers)) == (5, 1)


def test_large_requests_are_tried_again_too(flaky):
    flaky.refusals = [grpc.StatusCode.UNAVAILABLE] * 2
    with EncoderClient(flaky.address) as encoder:
        encoder.encode(
            np.ones((500_000, 2))
        )  # 4 MB, beyond what gRPC keeps for retries if not told
    assert flaky.calls == 3


def test_five_times_unavailable_is_enough(flaky):
    flaky.refusals = [grpc.StatusCode.UNAVAILABLE] * 9
    with EncoderClient(flaky.address) as encoder, pytest.raises(ModelCallError) as caught:
        encoder.encode(EMBEDDING)
    assert str(caught.value) == "model semantic_id answered UNAVAILABLE: on purpose"
    assert flaky.calls == 5


def test_a_version_that_is_not_found_though_it_is_there_is_called_once_more(flaky):
    flaky.refusals = [grpc.StatusCode.NOT_FOUND]
    with EncoderClient(flaky.address) as encoder:
        encoder.encode(EMBEDDING)
        assert flaky.calls == 2
        flaky.refusals = [grpc.StatusCode.NOT_FOUND] * 9
        with pytest.raises(ModelCallError) as caught:
            encoder.encode(EMBEDDING)
    assert caught.value.code == grpc.StatusCode.NOT_FOUND
    assert flaky.calls == 4


@pytest.mark.parametrize("code", ["INTERNAL", "RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "UNKNOWN"])
def test_nothing_else_is_tried_again(flaky, code):
    flaky.refusals = [grpc.StatusCode[code]] * 2
    with EncoderClient(flaky.address) as encoder:
        with pytest.raises(ModelCallError) as caught:
            encoder.encode(EMBEDDING)
        assert caught.value.code == grpc.StatusCode[code]
    assert flaky.calls == 1


def test_a_slow_answer_is_not_waited_for(flaky):
    flaky.seconds = 20.0
    with EncoderClient(flaky.address, timeout=0.5) as encoder:
        begin = time.monotonic()
        with pytest.raises(ModelCallError) as caught:
            encoder.encode(EMBEDDING)
        assert caught.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert 0.4 < time.monotonic() - begin < 5
    assert flaky.calls == 1


def test_the_deadline_covers_the_retries(flaky):
    flaky.refusals = [grpc.StatusCode.UNAVAILABLE]
    flaky.seconds = 20.0
    with EncoderClient(flaky.address, timeout=0.5) as encoder:
        begin = time.monotonic()
        with pytest.raises(ModelCallError) as caught:
            encoder.encode(EMBEDDING)
        assert caught.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - begin < 5
    assert flaky.calls == 2


@pytest.mark.parametrize("encoder_class", [EncoderClient, Waiting])
def test_a_server_that_is_away_is_waited_for_and_then_unavailable(encoder_class):
    begin = time.monotonic()
    with (
        encoder_class(unused_address(), timeout=0.5) as encoder,
        pytest.raises(ModelCallError) as caught,
    ):
        encoder.encode(EMBEDDING)
    assert 0.45 < time.monotonic() - begin < 5
    assert caught.value.code == grpc.StatusCode.UNAVAILABLE
    assert "Connection refused" in caught.value.details


@pytest.mark.parametrize("encoder_class", [EncoderClient, Waiting])
@pytest.mark.parametrize("seconds", [0.2, 2.5])
def test_a_server_that_restarts_is_found_within_one_call(flaky, encoder_class, seconds):
    address = unused_address()
    server, _ = listen(flaky, address)
    with encoder_class(address, timeout=20.0) as encoder, contextlib.ExitStack() as stack:
        encoder.encode(EMBEDDING)
        server.stop(None).wait()
        timer = threading.Timer(
            seconds, lambda: stack.callback(listen(flaky, address)[0].stop, None)
        )
        timer.start()
        begin = time.monotonic()
        np.testing.assert_array_equal(encoder.encode(EMBEDDING), [[7]])
        assert seconds - 0.1 < time.monotonic() - begin < seconds + 5
        timer.join()


@pytest.mark.parametrize("encoder_class", [EncoderClient, Waiting])
def test_a_request_that_arrives_while_the_server_stops_is_made_again(flaky, encoder_class):
    flaky.refusals = [grpc.StatusCode.CANCELLED]
    with encoder_class(flaky.address) as encoder:
        np.testing.assert_array_equal(encoder.encode(EMBEDDING), [[7]])
    assert flaky.calls == 2
    flaky.refusals = [grpc.StatusCode.CANCELLED] * 9
    with (
        encoder_class(flaky.address) as encoder,
        pytest.raises(ModelCallError, match="answered UNAVAILABLE: on purpose"),
    ):
        encoder.encode(EMBEDDING)


def test_retries_of_a_server_in_trouble_are_ten_and_a_tenth_of_the_calls(flaky):
    with EncoderClient(flaky.address) as encoder:
        for _ in range(30):
            encoder.encode(EMBEDDING)  # The tokens are full, and stay so.
        flaky.calls, calls = 0, 60
        flaky.refusals = [grpc.StatusCode.UNAVAILABLE] * 1000
        for _ in range(calls):
            with pytest.raises(ModelCallError, match="UNAVAILABLE: on purpose"):
                encoder.encode(EMBEDDING)
        assert calls < flaky.calls <= calls + 10
        flaky.refusals = []
        for _ in range(130):  # From none to more than half of 20 by tenths.
            encoder.encode(EMBEDDING)
        flaky.calls, flaky.refusals = 0, [grpc.StatusCode.UNAVAILABLE]
        encoder.encode(EMBEDDING)
        assert flaky.calls == 2


def test_calls_outlast_a_restart_of_their_server(flaky):
    address = unused_address()
    servers = [listen(flaky, address)[0]]
    ended = threading.Event()

    def call(encoder):
        calls = 0
        while not ended.is_set():
            assert encoder.encode(EMBEDDING).tolist() == [[7]]
            calls += 1
        return calls

    with EncoderClient(address) as encoder, futures.ThreadPoolExecutor(8) as pool:
        calling = [pool.submit(call, encoder) for _ in range(8)]
        for _ in range(3):
            time.sleep(0.3)
            servers[-1].stop(5).wait()
            servers.append(listen(flaky, address)[0])
        time.sleep(0.3)
        ended.set()
        assert all(one.result() > 4 for one in calling)
    servers[-1].stop(None).wait()
