"""The REST API over a real connection."""

import base64
import json
import urllib.error
import urllib.request

import pytest
import tensorflow as tf

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server.json_predict import predict_response_json
from semantic_id_ranking.serving.server.status import StatusError
from tests.serving import tiny_models
from tests.serving.tiny_models import example

RANK = {
    "candidate_sid": [[1, 2], [3, 4]],
    "current_sid": [[5, 6]],
    "history_sid": [[[1, 0], [0, 1]]],
    "context_country": ["de"],
    "context_price": [0.5, 1.5],
}


@pytest.fixture(scope="module")
def rest(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    tiny_models.export(tiny_models.SidRanker(), root / "ranker", 3)
    config = root / "models.config"
    config.write_text(
        f'model_config_list {{ config {{ name: "ranker" base_path: "{root}/ranker" '
        'model_platform: "tensorflow" version_labels { key: "stable" value: 3 } } }'
    )
    with ModelServer(config, rest_port=0, allow_unavailable_labels=True) as server:
        yield f"http://{server.rest_address}"


def call(url, body=None):
    """Status and decoded body; a body makes it a POST."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as response:
            assert response.headers["Content-Type"].startswith("application/json")
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def b64(value):
    return {"b64": base64.b64encode(value).decode()}


@pytest.mark.parametrize("version", ["", "/versions/3", "/labels/stable"])
def test_predict_by_columns(rest, version):
    body = {"signature_name": "rank", "inputs": RANK}
    # 10 x (5 + 6) + 100 x (1 + 1) + 2 letters = 312, plus candidate codes and price.
    assert call(f"{rest}/v1/models/ranker{version}:predict", body) == (
        200,
        {"outputs": {"click": [315.5, 320.5], "like": [-315.5, -320.5]}},
    )


def test_predict_by_rows(rest):
    url = f"{rest}/v1/models/ranker:predict"
    body = {"signature_name": "plus", "instances": [{"a": 1.0, "b": 2}, {"a": 0.1, "b": 0}]}
    # The shortest decimal of a float32, not the nearest float64: 0.1, not 0.10000000149.
    assert call(url, body) == (200, {"predictions": [3.0, 0.1]})
    rows = {"instances": [b64(example(4, 5)), b64(example(1, 1))]}
    assert call(url, rows) == (
        200,
        {"predictions": [{"click": 9.0, "like": -9.0}, {"click": 2.0, "like": -2.0}]},
    )


def test_one_row_and_one_candidate_keep_their_dimensions(rest):
    url = f"{rest}/v1/models/ranker:predict"
    assert call(url, {"instances": [b64(example(4, 5))]}) == (
        200,
        {"predictions": [{"click": 9.0, "like": -9.0}]},
    )
    inputs = RANK | {"candidate_sid": [[1, 2]], "context_price": [0.5]}
    assert call(url, {"signature_name": "rank", "inputs": inputs}) == (
        200,
        {"outputs": {"click": [315.5], "like": [-315.5]}},
    )


def test_strings_go_as_text_or_as_bytes(rest):
    url = f"{rest}/v1/models/ranker:predict"
    for value in ("dé", b64("dé".encode())):
        body = {"signature_name": "echo", "inputs": {"name": value}}
        assert call(url, body) == (200, {"outputs": "dé"})
    code, answer = call(url, {"signature_name": "echo", "inputs": {"name": b64(b"\xff")}})
    assert code == 400
    assert "UTF-8" in answer["error"]


def test_infinite_numbers_come_through(rest):
    body = b'{"signature_name": "plus", "inputs": {"a": [Infinity, NaN], "b": [1, 1]}}'
    code, answer = call(f"{rest}/v1/models/ranker:predict", body)
    infinite, missing = answer["outputs"]
    assert code == 200
    assert infinite == float("inf")
    assert missing != missing


def test_status(rest):
    expected = {
        "model_version_status": [
            {
                "version": "3",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    for path in ("/v1/models/ranker", "/v1/models/ranker/versions/3", "/V1/Models/ranker"):
        assert call(rest + path) == (200, expected)


def test_metadata(rest):
    code, answer = call(f"{rest}/v1/models/ranker/metadata")
    assert code == 200
    assert answer["model_spec"]["name"] == "ranker"
    assert answer["model_spec"]["version"] == "3"
    rank = answer["metadata"]["signature_def"]["signature_def"]["rank"]
    history = rank["inputs"]["history_sid"]
    assert history["dtype"] == "DT_INT64"
    assert [dim["size"] for dim in history["tensor_shape"]["dim"]] == ["1", "-1", "2"]
    assert history["tensor_shape"]["unknown_rank"] is False
    assert set(rank["outputs"]) == {"click", "like"}


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/models/m", 404, "Could not find any versions of model m"),
        ("/v1/models/ranker/versions/7", 404, "Could not find version 7 of model ranker"),
        ("/v1/models/m/metadata", 404, "Servable not found for request: Latest(m)"),
        (
            "/v1/models/ranker/labels/x/metadata",
            400,
            "Unrecognized servable version label: x",
        ),
        (
            "/v1/models/ranker/versions/9223372036854775808",
            400,
            "Failed to convert version: 9223372036854775808 to numeric.",
        ),
        ("/v1/else", 400, "Malformed request: GET /v1/else"),
        ("/v1/models/ranker:predict", 400, "Malformed request: GET /v1/models/ranker:predict"),
    ],
)
def test_refused_looks(rest, path, code, message):
    assert call(rest + path) == (code, {"error": message})


@pytest.mark.parametrize(
    ("model", "body", "code", "message"),
    [
        ("m", {}, 404, "Servable not found for request: Latest(m)"),
        (
            "ranker/versions/7",
            {"inputs": {}},
            404,
            "Servable not found for request: Specific(ranker, 7)",
        ),
        ("ranker", b"", 400, "JSON Parse error: The document is empty"),
        ("ranker", b"{", 400, "JSON Parse error: "),
        ("ranker", b"[" * 100_000, 400, "JSON Parse error: "),
        ("ranker", b"\xff", 400, "JSON Parse error: "),
        (
            "ranker",
            b'{"inputs": {"name": "\\ud800"}, "signature_name": "echo"}',
            400,
            "JSON Parse error: ",
        ),
        ("ranker", [1], 400, "JSON Value: [1] Is not object"),
        ("ranker", {}, 400, "Missing 'inputs' or 'instances' key"),
        (
            "ranker",
            {"inputs": [], "instances": []},
            400,
            'JSON Value: {\n    "inputs": [],\n    "instances": []\n} Not formatted correctly '
            "expecting only one of 'inputs' or 'instances' keys to exist ",
        ),
        (
            "ranker",
            {"instances": {}},
            400,
            "JSON Value: {\n    \"instances\": {}\n} Expecting 'instances' to be an list/array",
        ),
        (
            "ranker",
            {"instances": []},
            400,
            "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array",
        ),
        (
            "ranker",
            {"inputs": [], "signature_name": 1},
            400,
            'JSON Value: {\n    "inputs": [],\n    "signature_name": 1\n} not formatted correctly. '
            "'signature_name' key must be a string value.",
        ),
        (
            "ranker",
            {"inputs": [], "signature_name": "x"},
            400,
            'Serving signature name: "x" not found in signature def',
        ),
        (
            "ranker",
            {"inputs": [], "signature_name": "info"},
            400,
            "Failed to get input map for signature: info",
        ),
        (
            "ranker",
            {"inputs": RANK | {"context_price": [1.0, 2.0, 3.0]}, "signature_name": "rank"},
            400,
            "Incompatible shapes: [2] vs. [3]",
        ),
    ],
)
def test_refused_predictions(rest, model, body, code, message):
    found_code, answer = call(f"{rest}/v1/models/{model}:predict", body)
    assert found_code == code
    assert answer["error"].startswith(message)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"a": 1.0}, "Tensor name: a has no shape information "),
        (
            {"a": [1.0, 2.0], "b": [1.0]},
            "Tensor name: b has inconsistent batch size: 1 expecting: 2",
        ),
    ],
)
def test_an_answer_without_a_common_batch_has_no_rows(outputs, message):
    protos = {alias: tf.make_tensor_proto(value) for alias, value in outputs.items()}
    with pytest.raises(StatusError) as caught:
        predict_response_json({"instances": [1]}, protos)
    assert (caught.value.code.name, caught.value.message) == ("INVALID_ARGUMENT", message)


def test_outputs_named_bytes_are_written_in_base64():
    protos = {"sid_bytes": tf.make_tensor_proto([b"\xff\0"])}
    assert predict_response_json({"inputs": []}, protos) == {"outputs": [{"b64": "/wA="}]}
