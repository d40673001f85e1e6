"""A peer that is timed in turns with us."""

import json
import subprocess
from types import TracebackType
from typing import Any

from benchmarks import peers


class TimedPeer:
    """A script of `benchmarks/peers` that does its work once, and times it, whenever asked.

    Attributes:
        about: What it said of itself when it was warm.
    """

    about: dict[str, Any]

    def __init__(self, script: str, *arguments: object):
        """Starts it and waits until it is warm.

        Args:
            script: Its name, without the ending; it calls `serve_rounds`.
            arguments: Of its command line.
        """
        self._process = subprocess.Popen(
            peers.command(script, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.about = json.loads(self._answer())

    def __call__(self) -> float:
        """Runs it once and returns the seconds."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a peer ended with status {self._process.wait()}")
        return line

    def __enter__(self) -> "TimedPeer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
