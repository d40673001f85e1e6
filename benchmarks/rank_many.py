"""Throughput of `rank_many` over as many calls of `rank`, and of `sid_hybrid` over `random_hash`.

`make bench-rank-many` exports rankers of Semantic IDs of 8 codes of 2,048 in a world of
20,000 items with histories of 50, calls them in process and writes `benchmarks/out/rank_many.json`:
`{"cases": [{"representation", "candidates", "users", "rank_ms", "rank_many_ms", "speedup"}],
"bars": [{"bar", "value", "limit", "holds"}]}`. Times are of the CPU, of one thread, in
milliseconds, medians of calls by turns: those of `rank` for all users one after the other. At
20, 100 and 500 candidates expect `rank_many` to be 7, 4 and 1.9 times as fast, at 500 below the
bar, and `sid_hybrid` to take 1.15 times as long as `random_hash`, above it.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import command
from benchmarks.bars import at_least
from benchmarks.bars import at_most
from benchmarks.ranker_world import synthetic_world
from benchmarks.serving_models import ExportableRanker
from benchmarks.serving_models import RankRequest
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.representations import REGISTRY

_HYBRID, _HASH = "sid_hybrid", "random_hash"
_CANDIDATES = (20, 100, 500)


def joined(requests: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """A request to `rank_many` of requests to `rank`, all of as many candidates and entries."""
    inputs = {}
    for name in requests[0]:
        by_user = [one[name] for one in requests]
        inputs[name] = (np.stack if name.startswith("candidate_") else np.concatenate)(by_user)
    for role, axis in (("candidate", 0), ("history", 1)):
        (values, *_) = (one for name, one in requests[0].items() if name.startswith(f"{role}_"))
        inputs[f"{role}_count"] = np.full(len(requests), values.shape[axis], np.int32)
    return inputs


def caller(signature: Any, requests: Sequence[dict[str, np.ndarray]]) -> Callable[[], list[Any]]:
    """Calls a signature with each of the requests, from arrays to arrays."""

    def call() -> list[Any]:
        answers = []
        for arrays in requests:
            outputs = signature(**{name: tf.constant(one) for name, one in arrays.items()})
            answers.append({task: scores.numpy() for task, scores in outputs.items()})
        return answers

    return call


def medians(calls: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Median CPU milliseconds of each call, made by turns."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(repeats):
        for own, call in zip(times, calls, strict=True):
            begin = time.process_time()
            call()
            own.append(1e3 * (time.process_time() - begin))
    return [statistics.median(own) for own in times]


def main(
    users: int = 16,
    history: int = 50,
    levels: int = 8,
    codebook_size: int = 2048,
    rows: int = 20_000,
    repeats: int = 30,
    output: str = "benchmarks/out/rank_many.json",
) -> None:
    """Measures both."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    world = synthetic_world(levels, codebook_size, history)
    models = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in (_HASH, _HYBRID):
            path = os.path.join(folder, name)
            ExportableRanker(world, REGISTRY[name](rows=rows), RankerConfig()).export(path)
            models[name] = tf.saved_model.load(path)
    cases, one_user = [], {}
    for candidates in _CANDIDATES:
        drawn = [RankRequest.draw(world, candidates, seed) for seed in range(users)]
        for name, model in models.items():
            rank, many = model.signatures["rank"], model.signatures["rank_many"]
            apart = [one.arrays(rank.structured_input_signature[1]) for one in drawn]
            calls = caller(rank, apart), caller(many, [joined(apart)])
            separately, together = calls[0](), calls[1]()[0]
            for user, scores in enumerate(separately):
                for task, expected in scores.items():
                    np.testing.assert_allclose(together[task][user], expected, rtol=1e-4, atol=1e-3)
            times = medians(calls, repeats)
            case = {"representation": name, "candidates": candidates, "users": users}
            case |= {"rank_ms": times[0], "rank_many_ms": times[1], "speedup": times[0] / times[1]}
            print(case, flush=True)
            cases.append(case)
        both = [
            caller(
                models[name].signatures["rank"],
                [
                    one.arrays(models[name].signatures["rank"].structured_input_signature[1])
                    for one in drawn
                ],
            )
            for name in (_HYBRID, _HASH)
        ]
        hybrid, hashed = medians(both, repeats)
        one_user[candidates] = hybrid / hashed
    bars = [
        at_least(
            f"speed of rank_many over rank, {case['representation']}, N {case['candidates']}",
            case["speedup"],
            2.0,
        )
        for case in cases
    ]
    bars += [
        at_most(f"rank of {_HYBRID} over {_HASH}, N {candidates}", ratio, 1.1)
        for candidates, ratio in one_user.items()
    ]
    command.write_json(output, {"cases": cases, "bars": bars})
    for bar in bars:
        print(bar)


if __name__ == "__main__":
    command.run(main)
