"""gRPC's own services: health checking and reflection."""

import grpc
from grpc_health.v1 import health
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import model_service_pb2
from tensorflow_serving.apis import prediction_service_pb2

_SERVED = (
    prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name,
    model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name,
)


class StandardServices:
    """Says SERVING of the server, under the empty name, and of its services, until it drains.

    Args:
        server: Where to add the services; not started yet.
    """

    def __init__(self, server: grpc.Server):
        self._health = health.HealthServicer()
        for name in ("", *_SERVED):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (*_SERVED, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)

    def drain(self) -> None:
        """Says NOT_SERVING of everything from now on."""
        self._health.enter_graceful_shutdown()
