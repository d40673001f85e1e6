"""Clients that speak TLS, and servers that ask who they are."""

import asyncio
import pathlib
from concurrent import futures

import grpc
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.client import AsyncEncoderClient
from semantic_id_ranking.serving.client import ClientTls
from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import ModelCallError
from tests.serving.test_serving_retries import FlakyEncoder
from tests.serving.tls_files import make_tls_files

EMBEDDING = [[1.0, 2.0]]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["TLS", "mutual TLS"], scope="module")
def server(request, files):
    """Address of a server, and what a client needs to speak with it."""
    key, certificate, authority = (
        pathlib.Path(path).read_bytes() for path in (files.key, files.certificate, files.authority)
    )
    mutual = request.param == "mutual TLS"
    credentials = grpc.ssl_server_credentials(
        [(key, certificate)], authority if mutual else None, require_client_auth=mutual
    )
    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(FlakyEncoder(), server)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    own = {"certificate": files.certificate, "key": files.key} if mutual else {}
    yield f"127.0.0.1:{port}", ClientTls(server_authority=files.authority, **own), mutual
    server.stop(None).wait()


def test_both_clients_are_let_in(server):
    address, tls, _ = server
    with EncoderClient(address, tls=tls) as encoder:
        assert encoder.encode(EMBEDDING).tolist() == [[7]]

    async def encode():
        async with AsyncEncoderClient(address, tls=tls) as encoder:
            return (await encoder.encode(EMBEDDING)).tolist(), (await encoder.space()).fingerprint

    assert asyncio.run(encode()) == ([[7]], "space-a")


def test_a_client_without_what_the_server_asks_for_is_not(server, files, tmp_path):
    address, _, mutual = server
    other = make_tls_files(tmp_path)
    refused = [None, ClientTls(server_authority=other.authority)]
    if mutual:
        refused.append(ClientTls(server_authority=files.authority))
        refused.append(
            ClientTls(
                server_authority=files.authority, certificate=other.certificate, key=other.key
            )
        )
    for tls in refused:
        with EncoderClient(address, timeout=1.0, tls=tls) as encoder:
            with pytest.raises(ModelCallError) as caught:
                encoder.encode(EMBEDDING)
            assert caught.value.code.name in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.pem"):
        EncoderClient("127.0.0.1:1", tls=ClientTls(server_authority=str(tmp_path / "absent.pem")))


@pytest.mark.parametrize(("given", "missing"), [("key", "certificate"), ("certificate", "key")])
def test_half_of_a_pair_is_refused_before_grpc_ends_the_process(files, given, missing):
    with pytest.raises(ValueError, match=f"has a {given} and no {missing}; both are needed"):
        ClientTls(server_authority=files.authority, **{given: getattr(files, given)})
