"""A local model server that speaks TensorFlow Serving's gRPC and REST APIs."""

from semantic_id_ranking.serving.server.limits import Limits
from semantic_id_ranking.serving.server.model_server import ModelServer
from semantic_id_ranking.serving.server.monitoring_config import MonitoringConfig
from semantic_id_ranking.serving.server.tls import ServerTls
from semantic_id_ranking.serving.server.version_policy import latest_versions
from semantic_id_ranking.serving.server.version_policy import ServableVersionPolicy

__all__ = [
    "Limits",
    "ModelServer",
    "MonitoringConfig",
    "ServableVersionPolicy",
    "ServerTls",
    "latest_versions",
]
