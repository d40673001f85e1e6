"""Numbers, texts and types over REST, as TensorFlow Serving takes and gives them."""

import json
import math
import urllib.error
import urllib.request

import pytest
import tensorflow as tf

from semantic_id_ranking.serving.server import ModelServer
from tests.serving.tiny_models import export

ALIASES = {
    "float": tf.float32,
    "string": tf.string,
    "half": tf.float16,
    "complex64": tf.complex64,
    "int64": tf.int64,
}


class Echo(tf.Module):
    """A signature for each type, which gives back what it takes; and one for the halves of it."""

    def signatures(self):
        specs = {name: tf.TensorSpec(None, dtype, name="x") for name, dtype in ALIASES.items()}
        echo = tf.function(lambda x: {"y": tf.identity(x)})
        as_half = tf.function(lambda x: {"y": tf.cast(x, tf.float16)})
        signatures = {name: echo.get_concrete_function(spec) for name, spec in specs.items()}
        return signatures | {"as_half": as_half.get_concrete_function(specs["float"])}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("models") / "echo"
    export(Echo(), base_path, 1)
    with ModelServer({"echo": base_path}, rest_port=0) as server:
        yield f"http://{server.rest_address}/v1/models/echo:predict"


def call(url, signature, values, key="inputs"):
    """Status, and what came back; the values are text that goes as it is."""
    body = f'{{"signature_name": "{signature}", "{key}": {values}}}'
    try:
        with urllib.request.urlopen(url, body.encode(), timeout=30) as response:
            (answer,) = json.load(response).values()
            return response.status, answer
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["error"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # The nearest float32, 1435774336, in its shortest decimal.
        ("[1435774380, 16777217]", [1435774300.0, 16777216.0]),
        ("[1e308, -1e308]", [math.inf, -math.inf]),
        ("[Inf, -Inf, Infinity, -Infinity]", [math.inf, -math.inf] * 2),
        ('{"x": 1, "x": 2}', 1.0),
    ],
)
def test_numbers_that_are_taken(url, values, expected):
    assert call(url, "float", values) == (200, expected)


def test_the_first_of_equal_keys_counts_in_every_row(url):
    assert call(url, "int64", '[{"x": 1, "x": 2}, {"x": 3}]', "instances") == (200, [1, 3])


@pytest.mark.parametrize("text", ["/w==", "/w", " /w\\n"])
def test_base64_may_do_without_its_padding(url, text):
    code, answer = call(url, "string", f'{{"b64": "{text}"}}')
    assert (code, "UTF-8" in answer) == (400, True)  # It came back as the byte that it is.
    assert call(url, "string", '{"b64": "w6k"}') == (200, "é")


@pytest.mark.parametrize("signature", ["half", "complex64"])
def test_types_that_json_does_not_stand_for_cannot_be_sent(url, signature):
    message = f"Conversion of JSON Value: 1.5 to type: {signature}"
    assert call(url, signature, "[1.5]") == (501, message)
    wrapped = "Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: "
    assert call(url, signature, "[1.5]", "instances") == (400, wrapped + message)


def test_nor_be_answered(url):
    message = "Failed to write JSON value for tensor type: half"
    for key in ("inputs", "instances"):
        assert call(url, "as_half", "[1.5]", key) == (400, message)


def test_rows_of_several_shapes(url):
    start = "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting "
    for values, message in [
        ("[[1, 2], [3]]", "tensor size: 2 but got: 1"),
        ("[[[1, 2]], [[1], [2]]]", "shape [1,2] but got: [2,1]"),
    ]:
        assert call(url, "int64", values, "instances") == (400, start + message)


def test_other_encodings_are_refused(url):
    body = '{"signature_name": "string", "inputs": "é"}'
    for encoding in ("utf-16", "utf-16-le", "latin-1"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url, body.encode(encoding), timeout=30)
        assert caught.value.code == 400
        assert json.load(caught.value)["error"].startswith("JSON Parse error: ")
