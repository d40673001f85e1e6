"""Load that does not wait for answers: requests come at a rate, whatever becomes of them."""

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np


@dataclasses.dataclass(frozen=True)
class OpenLoad:
    """The outcome of requests at a rate.

    Attributes:
        answered: Seconds of each request that was answered.
        refused: Seconds of each that was refused for there being too many.
        failed: How many failed otherwise.
        seconds: From the first request to the last answer.
        late: Seconds by which the last request was sent too late.
    """

    answered: list[float]
    refused: list[float]
    failed: int
    seconds: float
    late: float

    @property
    def goodput(self) -> float:
        """Requests answered in a second."""
        return len(self.answered) / self.seconds

    def refused_ms(self, percent: float) -> float:
        """A percentile of the milliseconds that a refusal takes; 0 if there is none."""
        return float(1e3 * np.percentile(self.refused, percent)) if self.refused else 0.0


def run_open_load(send: Callable[[int], Any], rate: float, seconds: float) -> OpenLoad:
    """Sends requests at equal distances, and waits for the last answer.

    Args:
        send: Sends the request of a number, and gives a future of gRPC at once.
        rate: Requests in a second.
        seconds: How long.
    """
    total = round(rate * seconds)
    answered: list[float] = []
    refused: list[float] = []
    failed: list[float] = []
    kinds = {grpc.StatusCode.OK: answered, grpc.StatusCode.RESOURCE_EXHAUSTED: refused}
    done = threading.Semaphore(0)
    begin = time.perf_counter()

    def send_one(number: int) -> None:
        sent = time.perf_counter()
        future = send(number)

        def finish(future: Any) -> None:
            kinds.get(future.code(), failed).append(time.perf_counter() - sent)
            done.release()

        future.add_done_callback(finish)

    late = 0.0
    for number in range(total):
        late = time.perf_counter() - begin - number / rate
        if late < 0:
            time.sleep(-late)
        send_one(number)
    for _ in range(total):
        done.acquire()
    return OpenLoad(answered, refused, len(failed), time.perf_counter() - begin, max(0.0, late))
