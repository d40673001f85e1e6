"""Worker processes that a task's failure does not bring down."""

import concurrent.futures
import dataclasses
import multiprocessing
import os
import queue
import threading
import traceback
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

_ATTEMPTS = 2


@dataclasses.dataclass(frozen=True)
class Failure:
    """A task that failed in two processes.

    Attributes:
        reason: Why it did the last time, in one line.
    """

    reason: str


class _TaskError(Exception):
    """The reason of a failure: unlike the task's own exception it can always be pickled."""


def run_each(
    function: Callable[[Any], Any],
    tasks: Sequence[Any],
    workers: int,
    initializer: Callable[..., None],
    initargs: tuple[Any, ...],
) -> Iterator[tuple[Any, Any]]:
    """Runs tasks in worker processes, each of which takes one task at a time.

    A task that raises, or whose process dies, is tried once more in a fresh process. The traceback
    goes to standard error. joblib ends the whole run where a process dies.

    Args:
        function: Called with a task.
        tasks: The tasks.
        workers: Processes.
        initializer: Called in every process first.
        initargs: Its arguments, of a few KB at most: where a process dies before it has read more
            than a pipe holds, the writing never ends.

    Yields:
        A task, and what the function returned for it or its `Failure`, as they come.
    """
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    pool = [_Worker(initializer, initargs) for _ in range(workers)]
    for worker in pool:
        idle.put(worker)

    def run(task: Any) -> Any:
        worker = idle.get()
        try:
            return worker.run(function, task)
        finally:
            idle.put(worker)

    threads = concurrent.futures.ThreadPoolExecutor(workers)
    try:
        submitted = {threads.submit(run, task): task for task in tasks}
        for future in concurrent.futures.as_completed(submitted):
            yield submitted[future], future.result()
    finally:
        threads.shutdown(cancel_futures=True)
        for worker in pool:
            worker.close()


class _Worker:
    """A process, replaced by a fresh one after a failure."""

    def __init__(self, initializer: Callable[..., None], initargs: tuple[Any, ...]):
        self._initargs = (initializer, *initargs)
        self._process = self._fresh_process()

    def run(self, function: Callable[[Any], Any], task: Any) -> Any:
        """The function's result for the task, or its `Failure`."""
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                return self._process.submit(_call, function, task).result()
            except _TaskError as error:
                reason = str(error)
            except (BrokenProcessPool, OSError):
                reason = "its process died, perhaps for want of memory"
            self.close()
            self._process = self._fresh_process()
        return Failure(reason)

    def close(self) -> None:
        self._process.shutdown()

    def _fresh_process(self) -> concurrent.futures.ProcessPoolExecutor:
        """An executor of one process, which starts with its first task."""
        return concurrent.futures.ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), _start, self._initargs
        )


def _start(initializer: Callable[..., None], *initargs: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    initializer(*initargs)


def _end_with_parent() -> None:
    """Without it, the workers of a killed process would wait for tasks for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _call(function: Callable[[Any], Any], task: Any) -> Any:
    try:
        return function(task)
    except Exception as error:
        traceback.print_exc()
        lines = str(error).splitlines() or [""]
        raise _TaskError(f"{type(error).__name__}: {lines[0]}") from None
