"""A local model server that speaks TensorFlow Serving's gRPC API."""

from serving.server.model_server import ModelServer
from serving.server.version_policy import ServableVersionPolicy

__all__ = ["ModelServer", "ServableVersionPolicy"]
