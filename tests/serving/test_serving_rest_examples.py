"""Classify and Regress over REST."""

import base64
import json
import urllib.error
import urllib.request

import pytest

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server.json_document import parse_json
from semantic_id_ranking.serving.server.json_examples import examples_input
from semantic_id_ranking.serving.server.status import StatusError
from tests.serving import tiny_models
from tests.serving.example_models import ExampleModel


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    root = tmp_path_factory.mktemp("examples")
    tiny_models.export(ExampleModel(), root / "model", 4)
    with ModelServer({"model": root / "model"}, rest_port=0) as server:
        yield f"http://{server.rest_address}/v1/models/model"


def call(url, body):
    """Status and decoded answer."""
    try:
        with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_regress(url):
    body = {"examples": [{"x": 3.5}, {"x": [0.1], "y": 0.0}]}
    assert call(f"{url}:regress", body) == (200, {"results": [3.5, 0.1]})
    assert call(f"{url}/versions/4:REGRESS", body) == (200, {"results": [3.5, 0.1]})


def test_a_context_is_merged_into_each_example(url):
    body = {"context": {"y": 10.0}, "examples": [{"x": 1.0}, {"x": 2.0}]}
    assert call(f"{url}:regress", body) == (200, {"results": [11.0, 12.0]})


def test_classify(url):
    body = {"signature_name": "classify", "examples": [{"x": 0.1}, {"x": -1.0}]}
    assert call(f"{url}:classify", body) == (
        200,
        {"results": [[["low", -0.1], ["high", 0.1]], [["low", 1.0], ["high", -1.0]]]},
    )


@pytest.mark.parametrize(
    ("method", "body", "code", "message"),
    [
        ("classify", {"examples": [{"x": 1.0}]}, 400, "Expected classification signature outputs"),
        (
            "regress",
            {"examples": [{"x": 1.0}], "signature_name": "no"},
            400,
            "No signature was found with the name: no",
        ),
        ("regress", {"examples": [{"x": "one"}]}, 400, "Name: <unknown>, Key: x, Index: 0.  Data"),
        (
            "regress",
            {"instances": [1.0]},
            400,
            'JSON Value: {\n    "instances": [1.0]\n} When method is',
        ),
        ("regress", [], 400, "JSON Value: [] Is not object"),
    ],
)
def test_refusals(url, method, body, code, message):
    found_code, answer = call(f"{url}:{method}", body)
    assert found_code == code
    assert message in answer["error"]


def test_an_unknown_model_is_not_found(url):
    other = f"{url.removesuffix('model')}other:regress"
    assert call(other, {"examples": [{}]}) == (
        404,
        {"error": "Servable not found for request: Latest(other)"},
    )


def test_features_of_every_kind():
    text = base64.b64encode(b"\xff").decode()
    body = {
        "examples": [
            {"b": ["dé", {"b64": text}], "i": [1, True, -5], "f": [0.5, 1e308, 2.0**70], "n": []}
        ]
    }
    (read,) = examples_input(parse_json(json.dumps(body).encode())).example_list.examples
    feature = read.features.feature
    assert list(feature["b"].bytes_list.value) == ["dé".encode(), b"\xff"]
    assert list(feature["i"].int64_list.value) == [1, 1, -5]
    assert list(feature["f"].float_list.value) == [0.5, float("inf"), 2.0**70]
    assert feature["n"].WhichOneof("kind") is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"examples": {}}, "Expecting 'examples' value to be an list/array"),
        ({"examples": []}, "'examples' value is an empty array"),
        ({"examples": [1]}, "Example must be JSON object but got JSON Number"),
        ({"examples": [{}], "context": None}, "Example must be JSON object but got JSON Null"),
        (
            {"examples": [{"a": [1, 0.5]}]},
            "Unexpected element type in feature: a expecting type: int64",
        ),
        (
            {"examples": [{"a": ["x", 1]}]},
            "Unexpected element type in feature: a expecting type: bytes",
        ),
        ({"examples": [{"a": None}]}, "Feature: a has element with unexpected JSON type: Null"),
        ({"examples": [{"a": [[1]]}]}, "Feature: a has element with unexpected JSON type: Array"),
        (
            {"examples": [{"a": {"b": 1}}]},
            "Feature: a has element with unexpected JSON type: Object",
        ),
        ({"examples": [{"a": {"b64": "?"}}]}, "Unable to base64 decode"),
        (
            {"examples": [{"a": 2**63}]},
            "Feature: a has uint64 element. Only int64 is supported.",
        ),
        ({"examples": [{"a": 10**400}]}, "Number too big to be stored in double."),
    ],
)
def test_bodies_that_are_refused(body, message):
    with pytest.raises(StatusError) as caught:
        examples_input(body)
    assert caught.value.code.name == "INVALID_ARGUMENT"
    assert message in caught.value.message
