"""A local stand-in for TensorFlow Serving's model server."""

import os
import threading
from collections.abc import Iterable
from collections.abc import Mapping
from concurrent import futures

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.grpc_options import message_limits
from semantic_id_ranking.serving.server.limits import AT_ONCE
from semantic_id_ranking.serving.server.limits import Limits
from semantic_id_ranking.serving.server.loopback import is_loopback
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.model_config import config_of
from semantic_id_ranking.serving.server.model_config import read_model_config
from semantic_id_ranking.serving.server.model_config_file import ModelConfigFile
from semantic_id_ranking.serving.server.model_registry import ModelRegistry
from semantic_id_ranking.serving.server.model_service import ModelService
from semantic_id_ranking.serving.server.monitoring_config import MonitoringConfig
from semantic_id_ranking.serving.server.prediction_service import PredictionService
from semantic_id_ranking.serving.server.request_parser import RequestParser
from semantic_id_ranking.serving.server.rest_api import RestApi
from semantic_id_ranking.serving.server.rest_server import RestServer
from semantic_id_ranking.serving.server.served_model import ServedModel
from semantic_id_ranking.serving.server.standard_services import StandardServices
from semantic_id_ranking.serving.server.status import StatusError
from semantic_id_ranking.serving.server.tls import ServerTls
from semantic_id_ranking.serving.server.version_policy import ServableVersionPolicy


class ModelServer:
    """Serves SavedModels over gRPC and REST as `tensorflow/serving` does, in this process.

    For tests, for trying a pipeline's models, and where no model server runs. Codes and messages
    follow TensorFlow Serving 2.16, so that a client written against the one works against the
    other. A version appears whole: write it elsewhere on the same filesystem, then rename it in.

    Args:
        models: Base path of each model by its name, `<base path>/<version>/saved_model.pb`; or the
            path of a `models.config`, which is followed when it changes.
        host: Address to listen at.
        port: gRPC port; 0 takes a free one.
        rest_port: REST port; 0 takes a free one, None has none.
        socket_path: A Unix socket to listen at for gRPC besides the port.
        channel_arguments: gRPC channel arguments of the server.
        version_policy: Which versions to serve, for every model of a mapping or by its name; by
            default the latest one.
        allow_unavailable_labels: Whether a new version label may name a version that is not served
            yet.
        strict_shapes: Whether signatures refuse shapes other than they declare, which TensorFlow
            Serving leaves to the first operation that reads them.
        poll_seconds: Time between two looks for new versions and at the `models.config`; 0 looks
            once, at the start.
        limits: How much each port takes on at once.
        tls: Makes both ports TLS.
        monitoring: Whether and where the REST port shows metrics.
        reflection: Whether gRPC reflection tells which services and messages there are; None: only
            where `host` is a loopback address.
        reload: Whether HandleReloadConfigRequest, by which a caller has any folder of this machine
            served, is answered; None: only where `host` is a loopback address.

    Raises:
        OSError: The `models.config` cannot be read.
        ValueError: It is none.

    Example:
        ```
        with ModelServer({"ranker": "runs/serving/ranker"}) as server:
            client = RankerClient(server.address)
        ```
    """

    def __init__(
        self,
        models: Mapping[str, str | os.PathLike] | str | os.PathLike,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        rest_port: int | None = None,
        socket_path: str | None = None,
        channel_arguments: Iterable[tuple[str, int | str]] = (),
        version_policy: ServableVersionPolicy | Mapping[str, ServableVersionPolicy] | None = None,
        allow_unavailable_labels: bool = False,
        strict_shapes: bool = False,
        poll_seconds: float = 1.0,
        limits: Limits | None = None,
        tls: ServerTls | None = None,
        monitoring: MonitoringConfig | None = None,
        reflection: bool | None = None,
        reload: bool | None = None,
    ):
        limits = limits or Limits()
        self._config_file = None
        if isinstance(models, Mapping):
            self._config = config_of(models, version_policy)
        else:
            self._config = read_model_config(models)
            self._config_file = ModelConfigFile(models, self._config)
        self._registry = ModelRegistry(allow_unavailable_labels, strict_shapes)
        self._host, self._port, self._rest_port = host, port, rest_port
        self._socket_path = socket_path
        self._tls = tls
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="model-versions", daemon=True)
        metrics = Metrics(self._registry)
        local = is_loopback(host)
        self._server = _grpc_server(limits, channel_arguments)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(self._registry, metrics), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(self._registry, local if reload is None else reload), self._server
        )
        self._standard_services = StandardServices(
            self._server, local if reflection is None else reflection
        )
        self._rest_server = None
        if rest_port is not None:
            self._rest_server = RestServer(
                RestApi(self._registry, metrics), metrics, monitoring or MonitoringConfig(), limits
            )

    @property
    def address(self) -> str:
        """The server's address for gRPC, as host:port."""
        return f"{self._host}:{self._port}"

    @property
    def model_names(self) -> list[str]:
        """Names of the models that are configured."""
        return sorted(model.name for model in self._registry)

    @property
    def rest_address(self) -> str | None:
        """The server's address for REST, as host:port, if it has one."""
        return None if self._rest_port is None else f"{self._host}:{self._rest_port}"

    def start(self) -> "ModelServer":
        """Loads the models, then listens.

        Returns:
            This server.

        Raises:
            RuntimeError: The configuration is refused, a model has no version that loads, or a port
                is taken.
            OSError: A file of `tls` cannot be read.
        """
        try:
            self._registry.configure(self._config)
        except StatusError as error:
            raise RuntimeError(error.message) from error
        for model in self._registry:
            if model.servable() is None:
                raise RuntimeError(
                    f"model {model.name}: no version under {model.base_path} is served; "
                    + (_reasons(model) or "there is none that the version policy asks for")
                )
        self._listen()
        if self._poll_seconds:
            self._poller.start()
        return self

    def wait(self) -> None:
        """Blocks until the server has stopped."""
        self._server.wait_for_termination()

    def stop(self, grace: float = 30.0) -> None:
        """Says NOT_SERVING, takes no more requests, waits for those in progress, then stops.

        Args:
            grace: Seconds after which requests still in progress are answered UNAVAILABLE.
        """
        self._stopping.set()
        self._standard_services.drain()
        stopped = self._server.stop(grace)
        if self._rest_server:
            self._rest_server.stop(grace)
        stopped.wait()
        if self._poller.ident is not None:
            self._poller.join()

    def __enter__(self) -> "ModelServer":
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _listen(self) -> None:
        self._port = self._add_grpc_port(f"{self._host}:{self._port}")
        if self._socket_path is not None:
            self._add_grpc_port(f"unix:{self._socket_path}")
        if self._rest_server and self._rest_port is not None:
            context = self._tls.ssl_context() if self._tls else None
            try:
                self._rest_port = self._rest_server.start(self._host, self._rest_port, context)
            except OSError as error:
                self._server.stop(None)
                raise RuntimeError(f"REST port {self._rest_port}: {error}") from error
        self._server.start()

    def _add_grpc_port(self, address: str) -> int:
        if self._tls:
            return self._server.add_secure_port(address, self._tls.grpc_credentials())
        return self._server.add_insecure_port(address)

    def _poll(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            if self._config_file:
                self._config_file.follow(self._registry.reload)
            self._registry.refresh()


def _grpc_server(limits: Limits, arguments: Iterable[tuple[str, int | str]]) -> grpc.Server:
    return grpc.server(
        # As many threads as TensorFlow Serving's grpc_max_threads.
        futures.ThreadPoolExecutor(max_workers=4 * (os.cpu_count() or 1)),
        # Without so_reuseport 0, a second server on a port would take half of the first one's
        # requests.
        options=(*message_limits(limits.max_message_bytes), ("grpc.so_reuseport", 0), *arguments),
        interceptors=[RequestParser(AT_ONCE)],
        maximum_concurrent_rpcs=limits.max_concurrent_requests,
    )


def _reasons(model: ServedModel) -> str:
    return "; ".join(
        f"version {status.version}: {status.status.error_message}" for status in model.statuses()
    )
