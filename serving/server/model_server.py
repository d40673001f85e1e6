"""A local stand-in for TensorFlow Serving's model server."""

import os
import threading
from collections.abc import Mapping
from concurrent import futures

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.grpc_options import MESSAGE_LIMITS
from serving.server.model_registry import ModelRegistry
from serving.server.model_service import ModelService
from serving.server.prediction_service import PredictionService
from serving.server.served_model import ServedModel
from serving.server.version_policy import ServableVersionPolicy


class ModelServer:
    """Serves SavedModels over gRPC as `tensorflow/serving` does, in this process.

    For tests, for trying a pipeline's models, and where no model server runs. Codes and messages
    follow TensorFlow Serving 2.16, so that a client written against the one works against the
    other. A version appears whole: write it elsewhere on the same filesystem, then rename it in.

    Args:
        models: Base path of each model by its name; `<base path>/<version>/saved_model.pb`.
        host: Address to listen at.
        port: Port to listen at; 0 takes a free one.
        version_policy: Which versions to serve, for every model; by default the latest one.
        poll_seconds: Time between two looks for new versions.

    Example:
        ```
        with ModelServer({"ranker": "runs/serving/ranker"}) as server:
            client = RankerClient(server.address)
        ```
    """

    def __init__(
        self,
        models: Mapping[str, str | os.PathLike],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        version_policy: ServableVersionPolicy | None = None,
        poll_seconds: float = 1.0,
    ):
        policy = version_policy or ServableVersionPolicy()
        self._registry = ModelRegistry(
            {name: ServedModel(name, os.fspath(path), policy) for name, path in models.items()}
        )
        self._host = host
        self._port = port
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="model-versions", daemon=True)
        # As many threads as TensorFlow Serving's grpc_max_threads.
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=4 * (os.cpu_count() or 1)),
            # Without this, a second server on a port would take half of the first one's requests.
            options=(*MESSAGE_LIMITS, ("grpc.so_reuseport", 0)),
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(self._registry), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(self._registry), self._server
        )

    @property
    def address(self) -> str:
        """Where the server listens, as host:port."""
        return f"{self._host}:{self._port}"

    def start(self) -> "ModelServer":
        """Loads the models, then listens.

        Returns:
            This server.

        Raises:
            RuntimeError: A model has no version that loads, or the port is taken.
        """
        for model in self._registry:
            model.refresh()
            if model.servable() is None:
                raise RuntimeError(
                    f"model {model.name}: no version under {model.base_path} is served; "
                    + (_reasons(model) or "there is none that the version policy asks for")
                )
        self._port = self._server.add_insecure_port(f"{self._host}:{self._port}")
        self._server.start()
        self._poller.start()
        return self

    def wait(self) -> None:
        """Blocks until the server has stopped."""
        self._server.wait_for_termination()

    def stop(self, grace: float = 30.0) -> None:
        """Takes no more requests, waits for those under way, then stops.

        Args:
            grace: Seconds after which requests still under way are answered UNAVAILABLE.
        """
        self._stopping.set()
        self._server.stop(grace).wait()
        self._poller.join()

    def __enter__(self) -> "ModelServer":
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _poll(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            for model in self._registry:
                model.refresh()


def _reasons(model: ServedModel) -> str:
    return "; ".join(
        f"version {status.version}: {status.status.error_message}" for status in model.statuses()
    )
