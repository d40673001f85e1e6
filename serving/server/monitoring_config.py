"""TensorFlow Serving's monitoring configuration, of which tensorflow-serving-api has no class."""

import dataclasses
import os

from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message
from google.protobuf import message_factory
from google.protobuf import text_format

DEFAULT_PATH = "/monitoring/prometheus/metrics"


@dataclasses.dataclass(frozen=True)
class MonitoringConfig:
    """The page of metrics on the REST port.

    Attributes:
        enable: Whether they are.
        path: URL path of the page that Prometheus scrapes.
    """

    enable: bool = True
    path: str = DEFAULT_PATH


def read_monitoring_config(path: str | os.PathLike) -> MonitoringConfig:
    """Reads the text proto that TensorFlow Serving's `--monitoring_config_file` takes.

    Args:
        path: Text proto `tensorflow.serving.MonitoringConfig`.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such text proto.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        parsed = text_format.Parse(text, _new_message()).prometheus_config
    except text_format.ParseError as error:
        raise ValueError(
            f"{os.fspath(path)}: Error parsing text-format tensorflow.serving.MonitoringConfig: "
            f"{error}"
        ) from error
    return MonitoringConfig(parsed.enable, parsed.path or DEFAULT_PATH)


def _new_message() -> message.Message:
    """An empty MonitoringConfig, of a class made after `monitoring_config.proto`."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="serving/monitoring_config.proto", package="tensorflow.serving", syntax="proto3"
    )
    prometheus = file.message_type.add(name="PrometheusConfig")
    optional = field.LABEL_OPTIONAL
    prometheus.field.add(name="enable", number=1, label=optional, type=field.TYPE_BOOL)
    prometheus.field.add(name="path", number=2, label=optional, type=field.TYPE_STRING)
    monitoring = file.message_type.add(name="MonitoringConfig")
    monitoring.field.add(
        name="prometheus_config",
        number=1,
        label=optional,
        type=field.TYPE_MESSAGE,
        type_name=".tensorflow.serving.PrometheusConfig",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("tensorflow.serving.MonitoringConfig")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)()
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)()
