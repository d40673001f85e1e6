"""`sid serve` in a process of its own."""

import contextlib
import os
import re
import subprocess
import sys


class SidServer:
    """Serves the models of a folder at a free port of this machine; ends with the block.

    Args:
        models: Folder with a base folder for each model.
        arguments: More arguments of `sid serve`.
        log: File of what it says of itself, such as `os.devnull`; None: where we say it.

    Attributes:
        address: host:port of gRPC.
        rest_address: host:port of REST, if `arguments` ask for it.
    """

    address: str
    rest_address: str | None

    def __init__(self, models: str | os.PathLike, *arguments: str, log: str | None = None):
        self._log = log
        self._command = [
            sys.executable,
            "-m",
            "semantic_id_ranking.cli.main",
            "serve",
            "--models",
            str(models),
        ]
        self._command += ["--port", "0", *arguments]
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "SidServer":
        with open(self._log, "ab") if self._log else contextlib.nullcontext() as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        line = self._process.stdout.readline()
        found = re.search(r" at (\S+) \(gRPC\)", line)
        if not found:
            self.__exit__()
            raise RuntimeError(f"sid serve does not serve: {line}")
        self.address = found[1]
        rest = re.search(r" (\S+) \(REST\)", line)
        self.rest_address = rest[1] if rest else None
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    @property
    def runs(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    @property
    def resident_bytes(self) -> int:
        """Memory of the process."""
        with open(f"/proc/{self._process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
