"""TLS and mutual TLS on both ports."""

import json
import pathlib
import ssl
import urllib.error
import urllib.request

import grpc
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server import ServerTls
from tests.serving import tiny_models
from tests.serving.tiny_models import example
from tests.serving.tiny_models import predict_request
from tests.serving.tls_files import make_tls_files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("models") / "ranker"
    tiny_models.export(tiny_models.SidRanker(), base_path, 3)
    return {"ranker": base_path}


@pytest.fixture(scope="module", params=[False, True], ids=["tls", "mutual"])
def mutual(request):
    return request.param


@pytest.fixture(scope="module")
def server(models, files, mutual):
    tls = ServerTls(files.certificate, files.key, files.authority if mutual else None)
    with ModelServer(models, rest_port=0, tls=tls) as server:
        yield server


def read(path):
    return pathlib.Path(path).read_bytes()


def predict_over_grpc(server, credentials):
    if credentials is None:
        channel = grpc.insecure_channel(server.address)
    else:
        channel = grpc.secure_channel(server.address, credentials)
    with channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_request("ranker", examples=[example(1, 2)])
        return stub.Predict(request, timeout=10).model_spec.version.value


def state_over_https(server, context):
    url = f"https://{server.rest_address}/v1/models/ranker"
    with urllib.request.urlopen(url, timeout=10, context=context) as response:
        return json.load(response)["model_version_status"][0]["state"]


def test_a_client_with_a_certificate_is_served(server, files):
    credentials = grpc.ssl_channel_credentials(
        read(files.authority), read(files.key), read(files.certificate)
    )
    assert predict_over_grpc(server, credentials) == 3
    context = ssl.create_default_context(cafile=files.authority)
    context.load_cert_chain(files.certificate, files.key)
    assert state_over_https(server, context) == "AVAILABLE"


def test_a_client_without_one_is_refused_where_it_has_to_have_one(server, files, mutual):
    credentials = grpc.ssl_channel_credentials(read(files.authority))
    context = ssl.create_default_context(cafile=files.authority)
    if not mutual:
        assert predict_over_grpc(server, credentials) == 3
        assert state_over_https(server, context) == "AVAILABLE"
        return
    with pytest.raises(grpc.RpcError) as caught:
        predict_over_grpc(server, credentials)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
        state_over_https(server, context)


def test_nobody_is_served_in_the_clear_or_without_knowing_the_authority(server):
    for credentials in (None, grpc.ssl_channel_credentials()):
        with pytest.raises(grpc.RpcError) as caught:
            predict_over_grpc(server, credentials)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        state_over_https(server, ssl.create_default_context())


def test_a_file_that_is_not_there(models, tmp_path):
    tls = ServerTls(str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem"))
    with pytest.raises(FileNotFoundError, match=r"key\.pem"):
        ModelServer(models, tls=tls).start()
