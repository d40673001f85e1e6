"""`sid serve`: the pushed models of a run, on the local model server."""

import dataclasses
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import rich.console

from semantic_id_ranking.components.releaser.release import ENCODER
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.version_folders import version_folders

if TYPE_CHECKING:
    from semantic_id_ranking.serving.server import ModelServer


@dataclasses.dataclass(frozen=True)
class ServeOptions:
    """The options of `sid serve`.

    Attributes:
        models: Folder with a base folder for each model.
        models_config: A `models.config` instead.
        host: Address to listen on.
        port: gRPC port; 0 takes a free one.
        rest_port: REST port; 0 takes a free one, None has none.
        socket_path: Unix socket for gRPC besides the port.
        channel_arguments: gRPC channel arguments of the server, `key=value,key=value`.
        monitoring_config: Text proto MonitoringConfig; None shows metrics on the REST port.
        allow_unavailable_labels: Whether a new version label may name a version not served yet.
        strict_shapes: Whether shapes other than the signature declares are refused.
        reflection: Whether there is gRPC reflection; None: only where `host` is loopback.
        reload: Whether a caller may change what is served; None: only where `host` is loopback.
        poll_seconds: Time between two looks for new versions; 0 looks once, at the start.
        max_message_mib: Largest request or answer over gRPC, in MiB.
        max_body_mib: Largest body of a REST request, inflated, in MiB.
        body_seconds: How long such a body may take to come.
        max_requests: Requests in progress at once, on each port.
        tls_certificate: PEM file of the server's certificate; with it both ports are TLS.
        tls_key: PEM file of its private key.
        tls_client_authority: PEM file of the authorities whose clients are let in.
        grace_seconds: How long requests in progress may take when the server stops.
    """

    models: str | None = None
    models_config: str | None = None
    host: str = "127.0.0.1"
    port: int = 8500
    rest_port: int | None = None
    socket_path: str | None = None
    channel_arguments: str | None = None
    monitoring_config: str | None = None
    allow_unavailable_labels: bool = False
    strict_shapes: bool = False
    reflection: bool | None = None
    reload: bool | None = None
    poll_seconds: float = 1.0
    max_message_mib: int = 64
    max_body_mib: int = 8
    body_seconds: float = 30.0
    max_requests: int = 128
    tls_certificate: str | None = None
    tls_key: str | None = None
    tls_client_authority: str | None = None
    grace_seconds: float = 30.0


def base_paths(models: str) -> dict[str, str]:
    """The models below a folder: those subfolders that hold a version.

    Args:
        models: Folder with a base folder for each model, such as the `serving/` of a run.

    Returns:
        Model name -> base folder.

    Raises:
        InputError: There is none.
    """
    found = {}
    for name in sorted(os.listdir(models)) if os.path.isdir(models) else []:
        path = os.path.join(models, name)
        if os.path.isdir(path) and version_folders(path):
            found[name] = path
    if not found and os.path.isdir(os.path.join(models, "serving")):
        raise InputError(
            f"{models}: is the output folder of a run; name {os.path.join(models, 'serving')}, "
            "which holds its models"
        )
    if not found:
        raise InputError(
            f"{models}: holds no model; it needs folders <model>/<version>/, such as the serving "
            "folder of a run that was blessed"
        )
    return found


def serve(options: ServeOptions, console: rich.console.Console) -> None:
    """Serves until it is interrupted or terminated, then drains.

    Args:
        options: What to serve, and how.
        console: Where to say what is served.

    Raises:
        InputError: There is no model, or none that can be loaded; or a file is not what it should
            be.
    """
    server = _create(options)
    try:
        server.start()
    except (RuntimeError, OSError) as error:
        raise InputError(str(error)) from error
    rest = f" and {server.rest_address} (REST)" if server.rest_address else ""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        signal.signal(signal.SIGTERM, stop)
        console.print(
            f"serving {', '.join(server.model_names)} at {server.address} (gRPC){rest}",
            highlight=False,
            soft_wrap=True,
        )
        server.wait()
    except KeyboardInterrupt:
        server.stop(options.grace_seconds)
        console.print("drained and stopped")
        sys.stdout.flush()
        # Threads in which requests outlast the grace would keep the process.
        os._exit(0)


def _create(options: ServeOptions) -> "ModelServer":
    models: Mapping[str, str] | str
    if options.models is not None and options.models_config is None:
        models = base_paths(options.models)
    elif options.models_config is not None and options.models is None:
        models = options.models_config
    else:
        raise InputError("sid serve: needs either --models or --models-config, and not both")
    if bool(options.tls_certificate) != bool(options.tls_key):
        raise InputError("sid serve: --tls-certificate and --tls-key need each other")
    if options.tls_client_authority and not options.tls_certificate:
        raise InputError("sid serve: --tls-client-authority needs --tls-certificate and --tls-key")

    from semantic_id_ranking.serving.server import latest_versions
    from semantic_id_ranking.serving.server import Limits
    from semantic_id_ranking.serving.server import ModelServer
    from semantic_id_ranking.serving.server import MonitoringConfig
    from semantic_id_ranking.serving.server import ServerTls
    from semantic_id_ranking.serving.server.channel_arguments import parse_channel_arguments
    from semantic_id_ranking.serving.server.monitoring_config import read_monitoring_config

    tls = None
    if options.tls_certificate and options.tls_key:
        tls = ServerTls(options.tls_certificate, options.tls_key, options.tls_client_authority)
    try:
        monitoring = MonitoringConfig()
        if options.monitoring_config:
            monitoring = read_monitoring_config(options.monitoring_config)
        return ModelServer(
            models,
            options.host,
            options.port,
            rest_port=options.rest_port,
            socket_path=options.socket_path,
            channel_arguments=parse_channel_arguments(options.channel_arguments)
            if options.channel_arguments
            else (),
            # As serving/deploy/config/models.config; a file of one's own says it itself.
            version_policy={ENCODER: latest_versions(2)},
            allow_unavailable_labels=options.allow_unavailable_labels,
            strict_shapes=options.strict_shapes,
            poll_seconds=options.poll_seconds,
            limits=Limits(
                options.max_message_mib * 2**20,
                options.max_body_mib * 2**20,
                options.body_seconds,
                options.max_requests,
            ),
            tls=tls,
            monitoring=monitoring,
            reflection=options.reflection,
            reload=options.reload,
        )
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from error
