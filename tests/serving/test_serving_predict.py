"""Predict over a real channel: numbers, and the errors of TensorFlow Serving 2.16."""

import gc

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.client import open_channel
from tests.serving.server_calls import refusal
from tests.serving.tiny_models import example
from tests.serving.tiny_models import predict_request

RANK = {
    "candidate_sid": np.array([[1, 2], [3, 4], [-1, -1]]),
    "current_sid": np.array([[5, 6]]),
    "history_sid": np.array([[[1, 0], [0, 1]]]),
    "context_country": np.array([b"de"]),
    "context_price": np.array([0.5, 1.5, 2.5], np.float32),
}


def outputs(response):
    return {alias: tf.make_ndarray(proto) for alias, proto in response.outputs.items()}


def test_rank_gives_numbers_worked_out_by_hand(prediction_service):
    response = prediction_service.Predict(predict_request("ranker", "rank", **RANK))
    # 10 x (5 + 6) + 100 x (1 + 1) + 2 letters = 312, plus candidate codes and price.
    np.testing.assert_array_equal(outputs(response)["click"], [315.5, 320.5, 314.5])
    np.testing.assert_array_equal(outputs(response)["like"], [-315.5, -320.5, -314.5])
    assert outputs(response)["click"].dtype == np.float32
    assert response.model_spec.name == "ranker"
    assert response.model_spec.version.value == 3
    assert response.model_spec.signature_name == "rank"


def test_one_candidate_keeps_its_dimension(prediction_service):
    one = {"candidate_sid": np.array([[1, 2]]), "context_price": np.array([0.5], np.float32)}
    response = prediction_service.Predict(predict_request("ranker", "rank", **RANK | one))
    np.testing.assert_array_equal(outputs(response)["click"], [315.5])


def test_default_signature_takes_serialized_examples_and_keeps_a_batch_of_one(prediction_service):
    response = prediction_service.Predict(predict_request("ranker", examples=[example(4, 5)]))
    np.testing.assert_array_equal(outputs(response)["click"], [9.0])
    assert response.model_spec.signature_name == "serving_default"


def test_empty_history(prediction_service):
    request = predict_request("ranker", "rank", **RANK | {"history_sid": np.zeros((1, 0, 2), int)})
    np.testing.assert_array_equal(
        outputs(prediction_service.Predict(request))["click"], [115.5, 120.5, 114.5]
    )


def test_values_in_typed_fields_count_as_much_as_tensor_content(prediction_service):
    request = predict_request("ranker", "rank", **RANK)
    price = request.inputs["context_price"]
    price.ClearField("tensor_content")
    price.float_val.append(0.5)  # The last value given stands for the rest.
    np.testing.assert_array_equal(
        outputs(prediction_service.Predict(request))["click"], [315.5, 319.5, 312.5]
    )


def test_output_filter(prediction_service):
    request = predict_request("ranker", "rank", **RANK)
    request.output_filter.append("like")
    assert outputs(prediction_service.Predict(request)).keys() == {"like"}


def test_strings_come_back_byte_for_byte(prediction_service):
    response = prediction_service.Predict(predict_request("ranker", "echo", name=b"\xff\0"))
    assert response.outputs["name"].string_val[:] == [b"\xff\0"]
    assert list(response.outputs["name"].tensor_shape.dim) == []


def test_info_takes_no_input(prediction_service):
    info = outputs(prediction_service.Predict(predict_request("ranker", "info")))
    assert info["fingerprint"].item() == b"space-a"
    assert (info["levels"], info["codebook_size"]) == (2, 10)


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (predict_request(None), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (predict_request(""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (predict_request("m"), "NOT_FOUND", "Servable not found for request: Latest(m)"),
        (
            predict_request("ranker", version=7),
            "NOT_FOUND",
            "Servable not found for request: Specific(ranker, 7)",
        ),
        (
            predict_request("ranker", "x"),
            "FAILED_PRECONDITION",
            'Serving signature key "x" not found.',
        ),
        (
            predict_request("ranker"),
            "INVALID_ARGUMENT",
            "input size does not match signature: 0!=1 len({}) != len({examples}). "
            "Sent extra: {}. Missing but required: {examples}.",
        ),
        (
            predict_request("ranker", a=[b""], examples=[b""]),
            "INVALID_ARGUMENT",
            "input size does not match signature: 2!=1 len({a,examples}) != len({examples}). "
            "Sent extra: {a}. Missing but required: {}.",
        ),
        (
            predict_request("ranker", b=[b""]),
            "INVALID_ARGUMENT",
            "Signature input alias: examples(feed name: serving_default_examples:0) not found in "
            "request and no default value provided. Inputs expected to be in the request {b}, or "
            "default input alias set: ",
        ),
        (
            predict_request("ranker", examples=[1.5]),
            "INVALID_ARGUMENT",
            "Expects arg[0] to be string but float is provided",
        ),
        (
            predict_request("ranker", "rank", **RANK | {"context_price": np.array([1])}),
            "INVALID_ARGUMENT",
            "Expects arg[2] to be float but int64 is provided",
        ),
    ],
)
def test_refusals_word_for_word(prediction_service, request_, code, message):
    assert refusal(prediction_service.Predict, request_) == (code, message)


def test_unknown_label(prediction_service):
    request = predict_request("ranker")
    request.model_spec.version_label = "x"
    assert refusal(prediction_service.Predict, request) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: x",
    )


@pytest.mark.parametrize(
    "broken", ["content", "negative size", "unknown rank", "no dtype", "reference dtype", "huge"]
)
def test_malformed_tensor(prediction_service, broken):
    request = predict_request("ranker", "rank", **RANK)
    price = request.inputs["context_price"]
    if broken == "content":
        price.tensor_content = b"123"
    elif broken == "negative size":
        price.tensor_shape.dim[0].size = -1
    elif broken == "unknown rank":
        price.tensor_shape.unknown_rank = True
    elif broken == "reference dtype":
        price.dtype = types_pb2.DT_INT8_REF
    elif broken == "huge":
        price.ClearField("tensor_content")
        price.float_val.append(1.0)
        price.tensor_shape.dim[0].size = 2**40
    else:
        price.dtype = 0
    assert refusal(prediction_service.Predict, request) == (
        "INVALID_ARGUMENT",
        "tensor parsing error: context_price",
    )


def test_a_value_does_not_stand_for_more_than_a_megabyte(prediction_service):
    request = predict_request("ranker", "rank", **RANK)
    country = request.inputs["context_country"]
    country.string_val[:] = [b"x" * 1000]
    country.tensor_shape.dim[0].size = 2000
    refused = refusal(prediction_service.Predict, request)
    assert refused == ("INVALID_ARGUMENT", "tensor parsing error: context_country")
    country.tensor_shape.dim[0].size = 900
    assert refusal(prediction_service.Predict, request)[1].startswith("Incompatible shapes")


@pytest.mark.parametrize("strings", [[b"x" * 1_000_000, *[b""] * 69_999], [b""] * 200_000])
def test_what_is_sent_may_be_large(prediction_service, strings):
    request = predict_request("ranker", "rank", **RANK)
    country = request.inputs["context_country"]
    country.string_val[:] = strings
    country.tensor_shape.dim[0].size = len(strings)
    assert refusal(prediction_service.Predict, request)[1].startswith("Incompatible shapes")


def test_bad_output_filter(prediction_service):
    request = predict_request("ranker", examples=[example(1, 1)])
    request.output_filter.append("x")
    assert refusal(prediction_service.Predict, request) == (
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: x "
        "Outputs expected to be in the set {click,like}.",
    )
    request.output_filter[:] = ["click", "click"]
    assert refusal(prediction_service.Predict, request) == (
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: click",
    )


def test_wrong_shape_and_bad_example_are_told_by_the_operation_that_meets_them(prediction_service):
    request = predict_request("ranker", "rank", **RANK | {"context_price": np.ones(4, np.float32)})
    code, message = refusal(prediction_service.Predict, request)
    assert code == "INVALID_ARGUMENT"
    assert message.startswith("Incompatible shapes: [3] vs. [4]")

    request = predict_request("ranker", examples=[b"no example"])
    code, message = refusal(prediction_service.Predict, request)
    assert code == "INVALID_ARGUMENT"
    assert message.startswith("Could not parse example input, value: 'no example'")


def test_long_messages_are_truncated_at_1024_characters(prediction_service):
    _, message = refusal(prediction_service.Predict, predict_request("ranker", "x" * 2000))
    assert message == 'Serving signature key "' + "x" * (1024 - 23) + "...TRUNCATED"


def test_requests_that_do_not_parse_leave_nothing_behind(server):
    def calls():
        gc.collect()
        return sum(type(found).__name__ == "Call" for found in gc.get_objects())

    with grpc.insecure_channel(server.address) as channel:
        send = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        assert refusal(send, b"\xff\xff") == ("INTERNAL", "Exception deserializing request!")
        before = calls()
        for _ in range(20):
            refusal(send, b"\xff\xff")
        # An answered call may not have been sent yet.
        assert calls() < before + 10


def test_an_alias_that_is_not_utf8(server):
    request = predict_request("ranker", "echo", name=b"x").SerializeToString()
    assert request.count(b"name") == 1
    with grpc.insecure_channel(server.address) as channel:
        send = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        code, message = refusal(send, request.replace(b"name", b"na\xffe"))
    # protobuf 3 finds it when the alias is read, later ones when the request is.
    assert code in ("INVALID_ARGUMENT", "INTERNAL")
    assert "UTF-8" in message or "deserializing" in message


def test_default_inputs(prediction_service):
    request = predict_request("ranker", "plus", a=[1.0])
    np.testing.assert_array_equal(outputs(prediction_service.Predict(request))["sum"], [3.0])
    request = predict_request("ranker", "plus", a=[1.0], b=[10.0])
    np.testing.assert_array_equal(outputs(prediction_service.Predict(request))["sum"], [11.0])
    assert refusal(prediction_service.Predict, predict_request("ranker", "plus", b=[1.0])) == (
        "INVALID_ARGUMENT",
        "Signature input alias: a(feed name: plus_a:0) not found in request and no default value "
        "provided. Inputs expected to be in the request {b}, or default input alias set: b",
    )
    request = predict_request("ranker", "plus", a=[1.0], c=[1.0])
    assert refusal(prediction_service.Predict, request) == (
        "INVALID_ARGUMENT",
        "Inputs contains invalid name. Used request inputs: a, request input: a,c",
    )


def test_messages_of_up_to_64_mib_pass(server):
    with open_channel(server.address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        half = 8 * 1024 * 1024  # floats of 4 bytes: 32 MiB, and as much comes back
        response = stub.Predict(predict_request("ranker", "plus", a=np.zeros(half, np.float32)))
        np.testing.assert_array_equal(outputs(response)["sum"][[0, -1]], [2.0, 2.0])
        too_large = predict_request("ranker", "plus", a=np.zeros(2 * half, np.float32))
        assert too_large.ByteSize() > 64 * 1024 * 1024
        assert refusal(stub.Predict, too_large)[0] == "RESOURCE_EXHAUSTED"
