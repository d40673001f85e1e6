"""gRPC health checking and reflection."""

import subprocess
import sys

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha import reflection_pb2_grpc

from semantic_id_ranking.serving.server import ModelServer
from tests.serving import tiny_models
from tests.serving.server_calls import refusal

Status = health_pb2.HealthCheckResponse


@pytest.fixture
def server(tmp_path):
    tiny_models.export(tiny_models.SidRanker(), tmp_path / "ranker", 1)
    with ModelServer({"ranker": tmp_path / "ranker"}) as server:
        yield server


@pytest.mark.parametrize(
    "service",
    [
        "",
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "PredictionService",
        "ModelService",
    ],
)
def test_the_server_and_its_services_are_healthy(server, service):
    with grpc.insecure_channel(server.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == Status.SERVING


def test_the_health_of_a_service_that_is_not_there(server):
    with grpc.insecure_channel(server.address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        request = health_pb2.HealthCheckRequest(service="x")
        assert refusal(check, request)[0] == "NOT_FOUND"


def test_a_watcher_is_told_of_the_drain(server):
    with grpc.insecure_channel(server.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == Status.SERVING
        server.stop(grace=2)
        assert next(watch).status == Status.NOT_SERVING


def test_reflection_describes_the_services(server):
    def ask(**request):
        with grpc.insecure_channel(server.address) as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            requests = iter([reflection_pb2.ServerReflectionRequest(**request)])
            return next(stub.ServerReflectionInfo(requests))

    listed = ask(list_services="").list_services_response.service
    assert {service.name for service in listed} == {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    answer = ask(file_containing_symbol="tensorflow.serving.PredictionService")
    file = descriptor_pb2.FileDescriptorProto.FromString(
        answer.file_descriptor_response.file_descriptor_proto[0]
    )
    (service,) = file.service
    assert "Predict" in {method.name for method in service.method}


# On Python 3.11 and newer the official modules end with an AttributeError, behind their descriptor.
OFFICIAL = """
import contextlib
import importlib
for name in ("prediction_service", "model_service"):
    with contextlib.suppress(AttributeError):
        importlib.import_module(f"tensorflow_serving.apis.{name}_pb2")
"""
OURS = """
from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server.service_descriptors import register_services
register_services()
"""
WITHOUT_OFFICIAL = """
import sys
assert "tensorflow_serving.apis.prediction_service_pb2" not in sys.modules
assert "tensorflow_serving.apis.model_service_pb2" not in sys.modules
"""
DEFINITIONS = """
from google.protobuf import descriptor_pool
for name in ("prediction_service", "model_service"):
    file = descriptor_pool.Default().FindFileByName(f"tensorflow_serving/apis/{name}.proto")
    print(file.serialized_pb.hex())
"""


def printed(*programs):
    command = [sys.executable, "-W", "ignore", "-c", "".join(programs)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_services_are_described_as_tensorflow_serving_describes_them():
    official = printed(OFFICIAL, DEFINITIONS, OURS)
    assert printed(OURS, WITHOUT_OFFICIAL, DEFINITIONS, OFFICIAL) == official
