"""Tasks for worker processes; without TensorFlow, so that a process starts at once."""

import os
import pathlib
import signal
import time

_started = ""


def start(text: str) -> None:
    """The initializer."""
    global _started
    _started = text


def die(*_: str) -> None:
    """An initializer that never succeeds."""
    os.kill(os.getpid(), signal.SIGKILL)


def run(task: tuple[str, str]) -> tuple[str, int]:
    """Does what the task says: its name, and a file that every attempt adds a line to."""
    name, log = task
    with open(log, "a") as file:
        file.write(f"{name} {os.getpid()}\n")
    attempts = pathlib.Path(log).read_text().count(f"{name} ")
    if name == "raises" or (name == "raises once" and attempts == 1):
        raise ValueError("bad rows\nand more")
    if name == "dies" or (name == "dies once" and attempts == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "waits":
        time.sleep(600)
    return f"{_started} {name}", os.getpid()
