"""The lock of an output folder: one process at a time works on it."""

import contextlib
import datetime
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from typing import Any

from semantic_id_ranking.components.releaser.journal import Journal
from semantic_id_ranking.components.releaser.journal import recover
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.destinations import SERVING

LOCK_FILE = "run.lock"


@contextlib.contextmanager
def output_lock(output: str, command: str) -> Iterator[Journal | None]:
    """Locks an output folder, and completes the release that a killed process left there.

    The kernel holds the lock, and releases it when the process ends, however it ends; the file
    stays and says who holds the lock or held it last.

    Args:
        output: The folder, which exists.
        command: What is done there, such as `sid run`.

    Yields:
        That release; None where there was none.

    Raises:
        InputError: Another process holds the lock, or that release cannot be completed.
    """
    # Not truncated when opened: it may be the file of another process.
    with open(os.path.join(output, LOCK_FILE), "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{output}: {_holder(file)} works on it; wait until that has ended, or name "
                "another folder"
            ) from None
        since = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        holder = {
            "command": command,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": since,
        }
        file.truncate(0)
        json.dump(holder, file)
        file.flush()
        yield recover(os.path.join(output, SERVING))


def _holder(file: Any) -> str:
    """The process that holds the lock; it may have been about to say who it is."""
    file.seek(0)
    try:
        holder = json.load(file)
        return (
            f"{holder['command']} (process {holder['pid']} on {holder['host']}, since "
            f"{holder['since']})"
        )
    except (ValueError, KeyError, TypeError):
        return "another process"
