"""The readiness probe of the deployment files, run against servers."""

import http.server
import importlib.resources
import socket
import subprocess
import threading

import pytest
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_status_pb2

from semantic_id_ranking.serving.server import ModelServer

DEPLOY = importlib.resources.files("semantic_id_ranking.serving") / "deploy"
SCRIPT = DEPLOY / "config" / "models_available.sh"
STATES = get_model_status_pb2.ModelVersionStatus.State
UNAVAILABLE = 14
"""tensorflow.error.Code of a version that could not be loaded."""


def probe(port, *models):
    """Exit status and standard error."""
    command = ["bash", str(SCRIPT), str(port), *models]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return ended.returncode, ended.stderr


@pytest.fixture
def status_server():
    """Answers GetModelStatus in TensorFlow Serving's form, always 200, as `states` says."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            response = get_model_status_pb2.GetModelStatusResponse()
            for version, state in enumerate(server.states[self.path], start=1):
                status = response.model_version_status.add(version=version, state=state)
                status.status.error_code = UNAVAILABLE
                status.status.error_message = "AVAILABLE"
            body = json_format.MessageToJson(response, preserving_proto_field_name=True).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("state", ["START", "LOADING", "AVAILABLE", "UNLOADING", "END"])
def test_a_model_is_ready_if_it_is_available(status_server, state):
    status_server.states = {"/v1/models/ranker": [STATES.Value(state)]}
    code, _ = probe(status_server.server_port, "ranker")
    assert (code == 0) == (state == "AVAILABLE")


def test_a_model_is_ready_while_a_new_version_is_loaded(status_server):
    status_server.states = {"/v1/models/ranker": [STATES.AVAILABLE, STATES.LOADING]}
    assert probe(status_server.server_port, "ranker") == (0, "")


def test_every_model_must_be_available(status_server):
    status_server.states = {
        "/v1/models/ranker": [STATES.AVAILABLE],
        "/v1/models/semantic_id": [STATES.END, STATES.LOADING],
    }
    code, message = probe(status_server.server_port, "ranker", "semantic_id")
    assert code == 1
    assert "semantic_id" in message
    status_server.states["/v1/models/semantic_id"] = [STATES.END, STATES.AVAILABLE]
    assert probe(status_server.server_port, "ranker", "semantic_id") == (0, "")


def test_the_models_of_a_model_server(base_paths):
    models = {name: base_paths[name] for name in ["ranker", "semantic_id"]}
    with ModelServer(models, rest_port=0) as server:
        port = server.rest_address.rpartition(":")[2]
        assert probe(port, "ranker", "semantic_id") == (0, "")
        code, message = probe(port, "ranker", "by_id")
    assert code == 1
    assert "by_id" in message


def test_no_server_is_not_ready():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        code, _ = probe(unused.getsockname()[1], "ranker")
    assert code != 0
