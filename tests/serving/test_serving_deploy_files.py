"""The files for TensorFlow Serving in production: text protos and Docker Compose."""

import importlib.resources
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from google.protobuf import text_format
from google.protobuf import wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

from semantic_id_ranking.serving.server.monitoring_config import DEFAULT_PATH
from semantic_id_ranking.serving.server.monitoring_config import MonitoringConfig
from semantic_id_ranking.serving.server.monitoring_config import read_monitoring_config

DEPLOY = importlib.resources.files("semantic_id_ranking.serving") / "deploy"
CONFIG = DEPLOY / "config"

COMPOSE_FILES = ["docker-compose.yaml", "docker-compose.gpu.yaml"]
PINNED = r"[a-z/]+:\d+\.\d+\.\d+(-gpu)?(@sha256:[0-9a-f]{64})?"


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
def compose():
    return yaml.safe_load((DEPLOY / "docker-compose.yaml").read_text())


@pytest.fixture(scope="module")
def model_servers(compose):
    return {name: compose["services"][name] for name in ["model-server", "batching-server"]}


def mounted(service, path):
    """The file of ours that a service sees at a path in its container."""
    sources = {v.split(":")[-2]: v.rsplit(":", 2)[0] for v in service["volumes"]}
    return DEPLOY / sources[str(pathlib.PurePosixPath(path).parent)] / pathlib.Path(path).name


def test_models_config_names_the_two_models():
    config = text_format.Parse(
        (CONFIG / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    assert {model.name: model.base_path for model in config.model_config_list.config} == {
        "ranker": "/models/ranker",
        "semantic_id": "/models/semantic_id",
    }
    versions = {
        model.name: model.model_version_policy.latest.num_versions
        for model in config.model_config_list.config
    }
    # 0 stands for the newest alone.
    assert versions == {"ranker": 0, "semantic_id": 2}
    assert {model.model_platform for model in config.model_config_list.config} == {"tensorflow"}


def test_batching_parameters_are_those_to_start_with_on_cpu():
    parameters = text_format.Parse(
        (CONFIG / "batching_parameters.txt").read_text(), batching_parameters()
    )
    assert parameters.batch_timeout_micros.value == 0
    assert parameters.max_batch_size.value == 1024
    assert parameters.max_enqueued_batches.value > 0


def test_metrics_have_the_path_that_tensorflow_serving_gives_them():
    config = read_monitoring_config(CONFIG / "monitoring.config")
    assert config == MonitoringConfig(enable=True, path=DEFAULT_PATH)


def refusals(*paths):
    """The violations of the Compose specification's own schema in files."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True)
    return done.stdout if done.returncode else ""


def test_compose_files_are_compose_files(tmp_path):
    assert refusals(*(DEPLOY / name for name in COMPOSE_FILES)) == ""
    misspelt = (DEPLOY / COMPOSE_FILES[0]).read_text().replace("healthcheck:", "health_check:")
    (tmp_path / "misspelt.yaml").write_text(misspelt)
    assert "health_check" in refusals(tmp_path / "misspelt.yaml")


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_images_are_pinned(name):
    services = yaml.safe_load((DEPLOY / name).read_text())["services"].values()
    images = [service["image"] for service in services]
    assert images
    assert [i for i in images if not re.fullmatch(PINNED, i)] == []


def test_compose_mounts_the_files_that_the_servers_are_told_of(model_servers):
    files = {
        name: [
            mounted(service, word.rpartition("=")[2])
            for word in service["command"] + service["healthcheck"]["test"]
            if "/config/" in word
        ]
        for name, service in model_servers.items()
    }
    assert all(file.is_file() for paths in files.values() for file in paths)
    own = ["models.config", "monitoring.config", "models_available.sh"]
    assert {name: {file.name for file in paths} for name, paths in files.items()} == {
        "model-server": {*own},
        "batching-server": {*own, "batching_parameters.txt"},
    }


def test_no_two_services_take_one_port(compose):
    ports = [port.split(":")[-2] for s in compose["services"].values() for port in s["ports"]]
    assert len(set(ports)) == len(ports)


def test_only_this_machine_reaches_the_ports(compose):
    """Docker opens a port without an address to everybody, past the machine's firewall."""
    ports = [port for service in compose["services"].values() for port in service["ports"]]
    assert [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)] == []


def test_containers_are_confined(compose):
    for service in compose["services"].values():
        assert service["user"] not in ("root", "0", "0:0")
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["restart"] == "unless-stopped"


def test_callers_cannot_start_the_profiler(model_servers):
    for service in model_servers.values():
        assert "--enable_profiler=false" in service["command"]


def test_what_our_clients_call_is_not_batched(model_servers):
    """Batching refuses `rank` and `info`, whose inputs have no first dimension in common."""
    assert "--enable_batching" not in model_servers["model-server"]["command"]
    assert "profiles" not in model_servers["model-server"]
    assert model_servers["batching-server"]["profiles"] == ["batching"]


def test_redis_is_an_option_that_keeps_what_was_published(compose):
    redis = compose["services"]["redis"]
    assert redis["profiles"] == ["redis"]
    assert [volume.split(":")[0] for volume in redis["volumes"]] == list(compose["volumes"])
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert options == {"--appendonly": "yes", "--maxmemory-policy": "noeviction"}


def test_gpu_lies_over_the_server(compose):
    (name, service), *others = yaml.safe_load((DEPLOY / "docker-compose.gpu.yaml").read_text())[
        "services"
    ].items()
    assert others == []
    assert service["image"] == compose["services"][name]["image"] + "-gpu"
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
