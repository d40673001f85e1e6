"""A redis-server of one's own, for tests and benchmarks."""

import os
import pathlib
import signal
import socket
import subprocess
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_PROGRAM = pathlib.Path(__file__).with_name("redis-server.sh")


class RedisServer:
    """Listens on a free port of this machine, keeps nothing on disk, and ends with the block.

    Args:
        directory: Its working directory, which holds its log.
        arguments: More arguments of redis-server.

    Attributes:
        port: Its port.
        url: What a client calls it.
    """

    def __init__(self, directory: str | os.PathLike, *arguments: str):
        self._directory = pathlib.Path(directory)
        self._arguments = arguments
        self._process: subprocess.Popen | None = None
        self.port = unused_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts it, and waits until it answers.

        Raises:
            RuntimeError: It cannot be started; the message is the last line of its log.
        """
        log = self._directory / "redis.log"
        command = [_PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", self._directory, *self._arguments]
        with open(log, "ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        with redis.Redis(port=self.port, retry=Retry(NoBackoff(), 0)) as client:
            while not _answers(client):
                if self._process.poll() is not None:
                    raise RuntimeError(log.read_text().strip().splitlines()[-1])
                time.sleep(0.02)

    def stop(self) -> None:
        """Kills it."""
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """Stops it where it is, with its connections open; `go_on` ends that."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Has it work again."""
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def unused_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _answers(client: redis.Redis) -> bool:
    try:
        return client.ping()
    except redis.AuthenticationError:
        return True
    except redis.ConnectionError:
        return False
