"""gRPC's own services: health checking and reflection."""

import grpc
from grpc_health.v1 import health
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from semantic_id_ranking.serving.server.service_descriptors import register_services


class StandardServices:
    """Says SERVING of the server, under the empty name, and of its services, until it drains.

    A service has its full name and the short one that TensorFlow Serving answers for.

    Args:
        server: Where to add the services; not started yet.
        with_reflection: Whether to add reflection.
    """

    def __init__(self, server: grpc.Server, with_reflection: bool):
        served = register_services()
        self._health = health.HealthServicer()
        for name in ("", *served, *(full_name.rpartition(".")[2] for full_name in served)):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if with_reflection:
            names = (*served, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, server)

    def drain(self) -> None:
        """Says NOT_SERVING of everything from now on."""
        self._health.enter_graceful_shutdown()
