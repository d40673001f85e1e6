"""Bodies of REST requests, and values as messages quote them."""

import json
import math

import pytest

from semantic_id_ranking.serving.server.json_document import json_text
from semantic_id_ranking.serving.server.json_document import parse_json
from semantic_id_ranking.serving.server.status import StatusError


def refused(body):
    with pytest.raises(StatusError) as caught:
        parse_json(body)
    assert caught.value.code.name == "INVALID_ARGUMENT"
    return caught.value.message


def test_numbers_that_are_none():
    body = b'{"a": [NaN, -NaN, Inf, -Inf, Infinity, -Infinity, 1e308]}'
    numbers = parse_json(body)["a"]
    assert all(math.isnan(number) for number in numbers[:2])
    assert numbers[2:] == [math.inf, -math.inf, math.inf, -math.inf, 1e308]


def test_texts_keep_the_names_of_numbers():
    text = 'Inf \\" -NaN \\\\" Infinity'
    document = {"Inf": ["\\", text, '"Inf"', "\\\\Inf", "é"], "b": [1]}
    body = json.dumps(document).replace("[1]", "[Inf]").encode()
    assert parse_json(body) == document | {"b": [math.inf]}


def test_a_text_that_does_not_end_costs_no_more_than_its_length():
    body = b'{"a": Inf, "' + b'\\"' * 500_000
    assert refused(body).startswith("JSON Parse error: Unterminated string")


def test_the_first_of_equal_keys_counts():
    body = b'{"inputs": {"a": 1, "b": 2, "a": 3}, "inputs": 4}'
    assert parse_json(body) == {"inputs": {"a": 1, "b": 2}}


def test_what_follows_the_object_is_passed_over():
    assert parse_json(b'\xef\xbb\xbf \r\n{"a": 1} {"b": 2} ]') == {"a": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_refused(encoding):
    assert refused('{"a": 1}'.encode(encoding)).startswith("JSON Parse error: ")


def test_quoted_values():
    value = {"a": [1, 2.5, None, True, "dé"], "b": {}, "c": {"d": [[]]}}
    assert json_text(value) == (
        '{\n    "a": [1, 2.5, null, true, "dé"],\n    "b": {},\n    "c": {\n        "d": [[]]\n'
        "    }\n}"
    )


@pytest.mark.parametrize("value", ["x" * 10**6, [0] * 10**6, {"a": ["x" * 10**6]}])
def test_quoted_values_are_short(value):
    assert len(json_text(value)) == 256
    assert json.dumps(value, indent=4)[:2] in json_text(value) or isinstance(value, list)


def test_quoted_lists_within_lists_are_short():
    value = []
    for _ in range(100_000):
        value = [value]
    assert json_text(value) == "[" * 256
