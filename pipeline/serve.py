"""`sid serve`: the pushed models of a run, on the local model server."""

import os
import signal

import rich.console

from components.errors import InputError


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
        if os.path.isdir(path) and any(version.isdigit() for version in os.listdir(path)):
            found[name] = path
    if not found:
        raise InputError(
            f"{models}: holds no model; it needs folders <model>/<version>/, such as the serving "
            "folder of a run that was blessed"
        )
    return found


def serve(models: str, host: str, port: int, console: rich.console.Console) -> None:
    """Serves until it is interrupted or terminated, then drains.

    Args:
        models: Folder with a base folder for each model.
        host: Address to listen on.
        port: gRPC port; 0 takes a free one.
        console: Where to say what is served.

    Raises:
        InputError: There is no model, or none that can be loaded.
    """
    paths = base_paths(models)
    from serving.server.model_server import ModelServer

    server = ModelServer(paths, host, port)
    try:
        server.start()
    except RuntimeError as error:
        raise InputError(str(error)) from error
    console.print(f"serving {', '.join(paths)} at {server.address} (gRPC)", highlight=False)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        server.wait()
    except KeyboardInterrupt:
        server.stop()
        console.print("drained and stopped")
