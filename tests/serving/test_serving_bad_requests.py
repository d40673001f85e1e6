"""Requests drawn at random, over a real channel."""

import grpc
import pytest

from benchmarks.bad_requests import BadRequests
from benchmarks.bad_requests import PREDICT
from benchmarks.serving_fuzz import is_proper
from benchmarks.serving_fuzz import send
from benchmarks.serving_fuzz import signatures
from semantic_id_ranking.serving.server import ModelServer
from tests.serving.tiny_models import Encoder
from tests.serving.tiny_models import export
from tests.serving.tiny_models import SidRanker


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    export(SidRanker(), root / "ranker", 1)
    export(Encoder(), root / "semantic_id", 1)
    with (
        ModelServer({path.name: path for path in root.iterdir()}) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        yield channel


@pytest.fixture(scope="module")
def bad(channel):
    return BadRequests({model: signatures(channel, model) for model in ("ranker", "semantic_id")})


def test_every_request_is_answered_with_a_proper_code(channel, bad):
    codes = set()
    for number in range(60 * len(bad.kinds())):
        method, message = bad.make(number)
        code, text = send(channel, method, message)
        assert is_proper(code, text), (number, code, text)
        codes.add(code.name)
    assert codes >= {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "INTERNAL"}


def test_a_number_stands_for_one_request_and_every_kind_is_drawn(bad):
    kinds = bad.kinds()
    drawn = [bad.make(number) for number in range(5 * len(kinds))]
    assert drawn == [bad.make(number) for number in range(5 * len(kinds))]
    assert len(set(drawn)) > 4 * len(kinds)
    assert {method for method, _ in drawn} > {PREDICT}


@pytest.mark.parametrize(
    ("code", "message", "proper"),
    [
        ("OK", "", True),
        ("INVALID_ARGUMENT", "x", True),
        ("INTERNAL", "Exception deserializing request!", True),
        ("INTERNAL", "x", False),
        ("UNKNOWN", "Exception calling application: x", False),
        ("UNAVAILABLE", "x", False),
        ("DEADLINE_EXCEEDED", "x", False),
    ],
)
def test_a_code_is_proper_where_it_is_about_the_request(code, message, proper):
    assert is_proper(grpc.StatusCode[code], message) == proper
