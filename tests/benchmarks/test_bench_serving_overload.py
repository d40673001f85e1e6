import threading
import time

import grpc
import pytest

from benchmarks.open_load import OpenLoad
from benchmarks.open_load import run_open_load
from benchmarks.serving_overload import bars


class Future:
    """A future of gRPC that ends with a code after some seconds."""

    def __init__(self, code, seconds):
        self._code = code
        self._done = threading.Timer(seconds, self._finish)

    def code(self):
        return self._code

    def add_done_callback(self, callback):
        self._callback = callback
        self._done.start()

    def _finish(self):
        self._callback(self)


def test_requests_come_at_their_rate_and_are_counted_by_their_outcome():
    codes = [
        (grpc.StatusCode.OK, 0.3),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 0.0),
        (grpc.StatusCode.UNAVAILABLE, 0.0),
        (grpc.StatusCode.OK, 0.3),
    ]
    sent = []

    def send(number):
        sent.append(time.perf_counter())
        return Future(*codes[number % 4])

    load = run_open_load(send, rate=40, seconds=1)
    assert (len(load.answered), len(load.refused), load.failed) == (20, 10, 10)
    # Nobody waits for the answers, which take longer than the time between two requests.
    assert sent[-1] - sent[0] == pytest.approx(39 / 40, abs=0.25)
    assert load.seconds == pytest.approx(39 / 40 + 0.3, abs=0.3)
    assert min(load.answered) >= 0.3
    assert load.goodput == 20 / load.seconds


def test_percentiles_of_refusals():
    assert OpenLoad([], [0.001, 0.002, 0.009], 0, 1.0, 0.0).refused_ms(50) == pytest.approx(2.0)
    assert OpenLoad([1.0], [], 0, 1.0, 0.0).refused_ms(99) == 0.0


def test_bars_are_medians_of_the_rounds():
    rounds = [
        {
            "peak_per_s": 100.0,
            "goodput_per_s": goodput,
            "refused_p50_ms": 1.0,
            "refused_p99_ms": refused,
            "failed": failed,
        }
        for goodput, refused, failed in ((70.0, 5.0, 0), (85.0, 11.0, 0), (90.0, 12.0, 1))
    ]
    found = [(pytest.approx(bar["value"]), bar["holds"]) for bar in bars(rounds)]
    assert found == [(0.85, True), (1.0, True), (11.0, False), (1, False)]
