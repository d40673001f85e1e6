"""Reflection and reload: at a loopback address only, unless they are asked for."""

import socket

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha import reflection_pb2_grpc
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server.loopback import is_loopback
from semantic_id_ranking.serving.server.model_config import config_of
from tests.serving import tiny_models


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("models") / "ranker"
    tiny_models.export(tiny_models.SidRanker(), base_path, 1)
    return {"ranker": base_path}


def code(call):
    """The status code of a call."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


@pytest.mark.parametrize(
    ("host", "options", "expected"),
    [
        ("127.0.0.1", {}, ("OK", "OK")),
        ("localhost", {}, ("OK", "OK")),
        ("0.0.0.0", {}, ("UNIMPLEMENTED", "UNIMPLEMENTED")),
        ("0.0.0.0", {"reflection": True}, ("OK", "UNIMPLEMENTED")),
        ("0.0.0.0", {"reload": True}, ("UNIMPLEMENTED", "OK")),
        ("127.0.0.1", {"reflection": False}, ("UNIMPLEMENTED", "OK")),
        ("127.0.0.1", {"reload": False}, ("OK", "UNIMPLEMENTED")),
    ],
)
def test_what_is_answered_where(models, host, options, expected):
    with ModelServer(models, host, **options) as server:
        port = server.address.rpartition(":")[2]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
            question = reflection_pb2.ServerReflectionRequest(list_services="")
            reload = model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest
            config = config_of(models, None)
            answered = (
                code(lambda: next(ask(iter([question])))),
                code(lambda: reload(model_management_pb2.ReloadConfigRequest(config=config))),
            )
    assert answered == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("[::]", False),
        ("", False),
        ("10.1.2.3", False),
        ("fe80::1%1", False),
        ("no.such.host.invalid", False),
    ],
)
def test_loopback_addresses(host, expected):
    assert is_loopback(host) is expected


def test_a_name_of_several_addresses_is_loopback_if_all_are(monkeypatch):
    def resolve(host, *_, **__):
        return [(socket.AF_INET, 0, 0, "", (one, 0)) for one in host.split(",")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert is_loopback("127.0.0.1,127.0.0.2")
    assert not is_loopback("127.0.0.1,10.0.0.1")
