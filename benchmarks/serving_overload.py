"""Goodput and refusals of `sid serve` at twice the requests that it can answer.

`make bench-serving-overload` ranks 500 candidates as `make bench-serving` does. In each
round 16 requests are kept in flight for a while, which gives the peak; then requests come at twice
that rate, open loop, whatever becomes of them. It writes `benchmarks/out/serving_overload.json`:
`{"rounds": [{"peak_per_s", "sent_per_s", "goodput_per_s", "refused_per_s", "failed",
"answered_p99_ms", "refused_p50_ms", "refused_p99_ms", "sent_late_ms"}], "bars"}`; a bar holds a
median over the rounds.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from typing import Any

import grpc
import numpy as np

from benchmarks import command
from benchmarks.bars import at_least
from benchmarks.bars import at_most
from benchmarks.load import run_load
from benchmarks.open_load import run_open_load
from benchmarks.serving_calls import PREDICT
from benchmarks.serving_calls import rank_messages
from benchmarks.serving_models import ExportableRanker
from benchmarks.serving_models import RankRequest
from benchmarks.serving_world import serving_world
from benchmarks.sid_server import SidServer
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.representations import REGISTRY

_IN_FLIGHT = 16
_MODEL = "sid_spm"


def measure(address: str, message: bytes, seconds: float, factor: float) -> dict[str, Any]:
    """Measures the peak, then an overload.

    Args:
        address: host:port of a server.
        message: A request to Predict, as gRPC sends it.
        seconds: How long each takes.
        factor: The rate of the overload over the peak.
    """
    with grpc.insecure_channel(address) as channel:
        predict = channel.unary_unary(PREDICT)
        end = time.monotonic() + seconds
        closed = run_load(
            lambda _: predict(message, timeout=30.0),
            _IN_FLIGHT,
            lambda _: time.monotonic() < end,
        )
        peak = len(closed.latencies) / closed.seconds
        load = run_open_load(
            lambda _: predict.future(message, timeout=30.0), factor * peak, seconds
        )
    sent = len(load.answered) + len(load.refused) + load.failed
    return {
        "peak_per_s": peak,
        "sent_per_s": sent / load.seconds,
        "goodput_per_s": load.goodput,
        "refused_per_s": len(load.refused) / load.seconds,
        "failed": load.failed,
        "answered_p99_ms": float(1e3 * np.percentile(load.answered, 99)),
        "refused_p50_ms": load.refused_ms(50),
        "refused_p99_ms": load.refused_ms(99),
        "sent_late_ms": 1e3 * load.late,
    }


def bars(rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What has to hold of the rounds."""

    def median(values: list[float]) -> float:
        return statistics.median(values)

    goodput = median([one["goodput_per_s"] / one["peak_per_s"] for one in rounds])
    return [
        at_least("goodput at twice the peak, over the peak", goodput, 0.8),
        at_most("p50 ms of a refusal", median([one["refused_p50_ms"] for one in rounds]), 10.0),
        at_most("p99 ms of a refusal", median([one["refused_p99_ms"] for one in rounds]), 10.0),
        at_most("requests that failed otherwise", sum(one["failed"] for one in rounds), 0),
    ]


def main(
    items: int = 100_000,
    candidates: int = 500,
    history: int = 50,
    levels: int = 8,
    codebook_size: int = 2048,
    rows: int = 100_000,
    rounds: int = 5,
    seconds: float = 5.0,
    factor: float = 2.0,
    output: str = "benchmarks/out/serving_overload.json",
) -> None:
    """Measures goodput and refusals under an overload."""
    # Else a refusal waits for this process, not for the server.
    sys.setswitchinterval(5e-4)
    world, _ = serving_world(items, levels, codebook_size, 64, history)
    request = RankRequest.draw(world, candidates, 0)
    with tempfile.TemporaryDirectory() as folder:
        ranker = ExportableRanker(world, REGISTRY[_MODEL](rows=rows), RankerConfig())
        ranker.export(os.path.join(folder, _MODEL, "1"))
        with SidServer(folder) as server:
            message, _ = rank_messages(server.address, _MODEL, request)
            measure(server.address, message, 1.0, 1.0)
            measured = [measure(server.address, message, seconds, factor) for _ in range(rounds)]
    report = {"rounds": measured, "bars": bars(measured)}
    print(json.dumps(report, indent=1))
    command.write_json(output, report)


if __name__ == "__main__":
    command.run(main)
