"""Load of concurrent requests, and their latencies."""

import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent import futures
from typing import Any
from typing import TypeVar

import numpy as np

Key = TypeVar("Key")


@dataclasses.dataclass(frozen=True)
class Load:
    """The outcome of a number of requests.

    Attributes:
        latencies: Seconds of each request that was answered.
        errors: Requests that failed.
        seconds: From the first request to the last answer.
    """

    latencies: Sequence[float]
    errors: int
    seconds: float

    @property
    def p50(self) -> float:
        """Median latency, in seconds."""
        return float(np.median(self.latencies))


def run_load(call: Callable[[int], Any], in_flight: int, more: Callable[[int], bool]) -> Load:
    """Keeps a number of requests in flight, each in a thread of its own.

    Args:
        call: Makes the request of a number, and blocks until it is answered; an exception is an
            error.
        in_flight: Requests in progress at once.
        more: Tells of a number, counted from 0, whether that request is to be made.
    """
    lock, latencies, errors, started = threading.Lock(), [], [], [0]

    def client() -> None:
        while True:
            with lock:
                number = started[0]
                started[0] += 1
            if not more(number):
                return
            begin = time.perf_counter()
            try:
                call(number)
                latencies.append(time.perf_counter() - begin)
            except Exception as error:
                errors.append(error)

    begin = time.perf_counter()
    with futures.ThreadPoolExecutor(in_flight) as pool:
        for client_done in [pool.submit(client) for _ in range(in_flight)]:
            client_done.result()
    return Load(latencies, len(errors), time.perf_counter() - begin)


def run_by_turns(calls: Mapping[Key, Callable[[int], Any]], requests: int) -> dict[Key, Load]:
    """Makes one request of each kind, in an order drawn anew, and so on.

    Every kind finds the processor's caches as the others left them, as it does where a process has
    more to do than to answer one kind of request; and none always comes after the same other one.

    Args:
        calls: Makes the request of a number, by kind; an exception is an error.
        requests: Of each kind.
    """
    latencies: dict[Key, list[float]] = {key: [] for key in calls}
    order, rng = list(calls), random.Random(0)
    for number in range(requests):
        rng.shuffle(order)
        for key in order:
            begin = time.perf_counter()
            with contextlib.suppress(Exception):
                calls[key](number)
                latencies[key].append(time.perf_counter() - begin)
    return {key: Load(own, requests - len(own), sum(own)) for key, own in latencies.items()}


def summary(turns: Sequence[Load]) -> dict[str, float]:
    """Adds up turns of one kind.

    Returns:
        `p50_ms`, `p95_ms`, `p99_ms` over all requests answered, `requests_per_s`, `errors`.
    """
    latencies = np.concatenate([turn.latencies for turn in turns])
    # Where nothing was answered there is no latency.
    p50, p95, p99 = np.percentile(1000 * latencies, [50, 95, 99]) if len(latencies) else [None] * 3
    seconds = sum(turn.seconds for turn in turns)
    return {
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "requests_per_s": len(latencies) / seconds if seconds else 0.0,
        "errors": sum(turn.errors for turn in turns),
    }
