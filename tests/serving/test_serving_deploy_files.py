"""The files for TensorFlow Serving in production."""

import pathlib

import pytest
import yaml
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from google.protobuf import text_format
from google.protobuf import wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

import serving

DEPLOY = pathlib.Path(serving.__file__).parent / "deploy"


def batching_parameters():
    """An empty BatchingParameters; tensorflow-serving-api ships no class of it."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="batching.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    message = file.message_type.add(name="BatchingParameters")
    names = ["max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"]
    for number, name in enumerate(names, start=1):
        message.field.add(
            name=name,
            number=number,
            label=field.LABEL_OPTIONAL,
            type=field.TYPE_MESSAGE,
            type_name=".google.protobuf.Int64Value",
        )
    message.field.add(
        name="allowed_batch_sizes", number=6, label=field.LABEL_REPEATED, type=field.TYPE_INT64
    )
    message.field.add(
        name="pad_variable_length_inputs",
        number=7,
        label=field.LABEL_OPTIONAL,
        type=field.TYPE_BOOL,
    )
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(wrappers)
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("tensorflow.serving.BatchingParameters")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)()
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)()


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((DEPLOY / "docker-compose.yaml").read_text())["services"]


def mounted(service, path):
    """The file of ours that a service sees at a path in its container."""
    sources = {v.split(":")[-2]: v.rsplit(":", 2)[0] for v in service["volumes"]}
    return DEPLOY / sources[str(pathlib.PurePosixPath(path).parent)] / pathlib.Path(path).name


def test_models_config_names_the_two_models():
    config = text_format.Parse(
        (DEPLOY / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    assert {model.name: model.base_path for model in config.model_config_list.config} == {
        "ranker": "/models/ranker",
        "semantic_id": "/models/semantic_id",
    }
    assert {model.model_platform for model in config.model_config_list.config} == {"tensorflow"}


def test_batching_parameters_are_those_to_start_with_on_cpu():
    parameters = text_format.Parse(
        (DEPLOY / "batching_parameters.txt").read_text(), batching_parameters()
    )
    assert parameters.batch_timeout_micros.value == 0
    assert parameters.max_batch_size.value == 1024
    assert parameters.max_enqueued_batches.value > 0


def test_compose_mounts_the_files_that_the_servers_are_told_of(services):
    files = {
        name: [
            mounted(service, flag.partition("=")[2])
            for flag in service["command"]
            if "/config/" in flag
        ]
        for name, service in services.items()
    }
    assert all(file.is_file() for paths in files.values() for file in paths)
    assert {name: [file.name for file in paths] for name, paths in files.items()} == {
        "model-server": ["models.config"],
        "batching-server": ["models.config", "batching_parameters.txt"],
    }
    assert {service["image"] for service in services.values()} == {"tensorflow/serving:2.16.1"}


def test_what_our_clients_call_is_not_batched(services):
    """Batching refuses `rank` and `info`, whose inputs have no first dimension in common."""
    assert "--enable_batching" not in services["model-server"]["command"]
    assert "profiles" not in services["model-server"]
    assert services["batching-server"]["profiles"] == ["batching"]


def test_gpu_lies_over_the_server(services):
    (name, service), *others = yaml.safe_load((DEPLOY / "docker-compose.gpu.yaml").read_text())[
        "services"
    ].items()
    assert others == []
    assert name in services
    assert service["image"] == "tensorflow/serving:2.16.1-gpu"
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
