"""Bodies of REST requests that are large, compressed, slow, broken or never finished."""

import gzip
import json
import socket
import time
import tracemalloc
import zlib

import pytest

from semantic_id_ranking.serving.server import Limits
from semantic_id_ranking.serving.server import ModelServer
from tests.serving.server_calls import until
from tests.serving.tiny_models import export
from tests.serving.tiny_models import SidRanker

MIB = 2**20
BODY = json.dumps({"signature_name": "plus", "inputs": {"a": [1.0], "b": [2.0]}}).encode()
ANSWER = {"outputs": [3.0]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("models") / "ranker"
    export(SidRanker(), base_path, 1)
    limits = Limits(max_body_bytes=MIB, body_seconds=0.5)
    with ModelServer({"ranker": base_path}, rest_port=0, limits=limits) as server:
        yield server


class Connection:
    """Sends a request in pieces, and reads its answer."""

    def __init__(self, server, **headers):
        host, _, port = server.rest_address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = "\r\n".join(["POST /v1/models/ranker:predict HTTP/1.1", "Host: x", *lines])
        self.send(f"{head}\r\n\r\n".encode())
        self.answers = self.socket.makefile("rb")

    def send(self, piece):
        self.socket.sendall(piece)

    def status(self):
        """The next status line, and its headers."""
        status = int(self.answers.readline().split()[1])
        headers = {}
        while line := self.answers.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        return status, headers

    def answer(self):
        """The next status, and the decoded body."""
        status, headers = self.status()
        return status, json.loads(self.answers.read(int(headers["content-length"])))


def post(server, body, **headers):
    connection = Connection(server, Content_Length=len(body), **headers)
    connection.send(body)
    return connection.answer()


def test_a_body_that_is_declared_too_large_is_refused_before_it_comes(server):
    start = time.monotonic()
    status, answer = Connection(server, Content_Length=MIB + 1).answer()
    assert (status, answer) == (413, {"error": f"the body is larger than {MIB} bytes"})
    assert time.monotonic() - start < 0.4  # Sooner than a body is waited for.


def test_a_body_that_is_held_back_is_asked_for_or_refused(server):
    large = Connection(server, Content_Length=MIB + 1, Expect="100-continue")
    assert large.status()[0] == 413
    small = Connection(server, Content_Length=len(BODY), Expect="100-continue")
    assert small.status()[0] == 100
    small.send(BODY)
    assert small.answer() == (200, ANSWER)


def test_a_body_in_chunks_is_counted(server):
    connection = Connection(server, Transfer_Encoding="chunked")
    connection.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
    assert connection.answer() == (200, ANSWER)
    connection = Connection(server, Transfer_Encoding="chunked")
    for _ in range(17):
        connection.send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
    assert connection.answer()[0] == 413


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress)],
)
def test_a_compressed_body_is_inflated(server, encoding, compress):
    assert post(server, compress(BODY), Content_Encoding=encoding) == (200, ANSWER)


def test_a_small_body_that_inflates_to_a_large_one_takes_no_memory(server):
    bomb = zlib.compress(bytes(256 * MIB))
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        status, _ = post(server, bomb, Content_Encoding="deflate")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert status == 413
    assert peak < 8 * MIB


WHOLE = gzip.compress(BODY, mtime=0)


# The first half of the last one alone would be a request, too.
@pytest.mark.parametrize("body", [WHOLE[:-9], BODY, b"", WHOLE + b" ", WHOLE + WHOLE])
def test_a_compressed_body_that_is_none_is_refused(server, body):
    status, answer = post(server, body, Content_Encoding="gzip")
    assert status == 400
    assert answer["error"].startswith("the body cannot be read: ")


def test_an_unknown_encoding_is_refused(server):
    assert post(server, BODY, Content_Encoding="br") == (
        415,
        {"error": "Content-Encoding br is not one of identity, gzip, deflate"},
    )


def test_broken_chunks_are_refused(server):
    connection = Connection(server, Transfer_Encoding="chunked")
    connection.send(b"no size\r\n")
    # aiohttp tells of a broken chunk at once only if it came together with the headers.
    assert connection.status()[0] in (400, 408)


def test_a_body_that_does_not_come_is_given_up(server):
    connection = Connection(server, Content_Length=len(BODY))
    connection.send(BODY[:10])
    status, answer = connection.answer()
    assert (status, answer) == (408, {"error": "the body did not come within 0.5 seconds"})


def test_an_aborted_upload_takes_one_line_of_the_log(server, caplog):
    connection = Connection(server, Content_Length=len(BODY))
    connection.send(BODY[:10])
    time.sleep(0.1)
    connection.answers.close()
    connection.socket.close()
    until(lambda: caplog.records)
    time.sleep(0.2)
    (record,) = caplog.records
    assert record.exc_info is None
    assert record.getMessage().startswith(
        "POST /v1/models/ranker:predict: the upload was aborted: "
    )
    assert "\n" not in record.getMessage()
    assert post(server, BODY) == (200, ANSWER)
