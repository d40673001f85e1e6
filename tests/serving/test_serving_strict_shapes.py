"""Shapes other than a signature declares, with and without --strict-shapes."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.server import ModelServer
from tests.serving.server_calls import refusal
from tests.serving.tiny_models import export
from tests.serving.tiny_models import predict_request
from tests.serving.tiny_models import SidRanker

RANK = {
    "candidate_sid": np.array([[1, 2], [3, 4]]),
    "current_sid": np.array([[5, 6]]),
    "history_sid": np.array([[[1, 0], [0, 1]]]),
    "context_country": np.array([b"de"]),
    "context_price": np.array([0.5], np.float32),
}
TWO_CURRENT_ITEMS = {"current_sid": np.array([[5, 6], [7, 8]])}
ONE_LEVEL = {"candidate_sid": np.array([1, 2])}


@pytest.fixture(scope="module")
def base_path(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("models") / "ranker"
    export(SidRanker(), base_path, 1)
    return base_path


@pytest.fixture(scope="module")
def strict(base_path):
    with (
        ModelServer({"ranker": base_path}, strict_shapes=True) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def lenient(base_path):
    with (
        ModelServer({"ranker": base_path}) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.mark.parametrize(
    ("changed", "declared", "given"),
    [
        (TWO_CURRENT_ITEMS, "arg[3] to be of shape [1, 2]", "[2, 2]"),
        (ONE_LEVEL, "arg[0] to be of shape [None, 2]", "[2]"),
    ],
)
def test_strictly_a_shape_that_is_not_declared_is_refused(strict, changed, declared, given):
    request = predict_request("ranker", "rank", **RANK | changed)
    assert refusal(strict.Predict, request) == (
        "INVALID_ARGUMENT",
        f"Expects {declared} but {given} is provided",
    )


def test_by_default_the_operations_are_given_what_was_sent(lenient):
    request = predict_request("ranker", "rank", **RANK | TWO_CURRENT_ITEMS)
    # 10 x (5 + 6 + 7 + 8) + 100 x (1 + 1) + 2 letters + price .5 = 462.5, plus candidate codes.
    click = tf.make_ndarray(lenient.Predict(request).outputs["click"])
    np.testing.assert_array_equal(click, [465.5, 469.5])


def test_by_default_an_operation_says_what_it_cannot_read(lenient):
    code, message = refusal(lenient.Predict, predict_request("ranker", "rank", **RANK | ONE_LEVEL))
    assert code == "INVALID_ARGUMENT"
    assert "reduction" in message
