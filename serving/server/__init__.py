"""A local model server that speaks TensorFlow Serving's gRPC and REST APIs."""

from serving.server.limits import Limits
from serving.server.model_server import ModelServer
from serving.server.monitoring_config import MonitoringConfig
from serving.server.tls import ServerTls
from serving.server.version_policy import ServableVersionPolicy

__all__ = ["Limits", "ModelServer", "MonitoringConfig", "ServableVersionPolicy", "ServerTls"]
