import threading

import pytest

from benchmarks.bars import at_least
from benchmarks.bars import at_most
from benchmarks.load import Load
from benchmarks.load import run_by_turns
from benchmarks.load import run_load
from benchmarks.load import summary


def test_every_request_is_made_once_and_errors_are_counted():
    made = []

    def call(number):
        made.append(number)
        if number % 4 == 0:
            raise RuntimeError

    load = run_load(call, 3, lambda number: number < 20)
    assert sorted(made) == list(range(20))
    assert load.errors == 5
    assert len(load.latencies) == 15


def test_as_many_requests_are_in_flight_as_are_asked_for():
    together = threading.Barrier(5)
    # Each waits for four others.
    load = run_load(lambda _: together.wait(30), 5, lambda number: number < 10)
    assert (len(load.latencies), load.errors) == (10, 0)


def test_kinds_take_turns():
    made = []

    def b(number):
        made.append(("b", number))
        if number:
            raise RuntimeError

    loads = run_by_turns({"a": lambda number: made.append(("a", number)), "b": b}, 20)
    turns = [made[begin : begin + 2] for begin in range(0, 40, 2)]
    assert [sorted(turn) for turn in turns] == [[("a", n), ("b", n)] for n in range(20)]
    # In either order.
    assert {kind for (kind, _), _ in turns} == {"a", "b"}
    assert {kind: (len(load.latencies), load.errors) for kind, load in loads.items()} == {
        "a": (20, 0),
        "b": (1, 19),
    }
    assert loads["a"].seconds == sum(loads["a"].latencies)


def test_percentiles_are_over_all_turns_and_the_rate_over_all_seconds():
    # 1 to 101 ms: the p-th percentile is 1 + p.
    turns = [
        Load([number / 1000 for number in range(1, 51)], 1, 2.0),
        Load([number / 1000 for number in range(51, 102)], 2, 3.0),
    ]
    assert summary(turns) == pytest.approx(
        {"p50_ms": 51, "p95_ms": 96, "p99_ms": 100, "requests_per_s": 101 / 5, "errors": 3}
    )


def test_where_nothing_was_answered_there_is_no_latency():
    assert summary([Load([], 2, 1.0)]) == {
        "p50_ms": None,
        "p95_ms": None,
        "p99_ms": None,
        "requests_per_s": 0.0,
        "errors": 2,
    }


@pytest.mark.parametrize(
    ("make", "value", "holds"),
    [(at_most, 1.3, True), (at_most, 1.31, False), (at_least, 1.3, True), (at_least, 1.29, False)],
)
def test_a_bar_holds_at_its_limit(make, value, holds):
    assert make("b", value, 1.3) == {"bar": "b", "value": value, "limit": 1.3, "holds": holds}
