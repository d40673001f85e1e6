"""Cost of FeatureJoiner, beside DuckDB's join of the same impressions.

`make bench-join` joins a million synthetic impressions of 50,000 users and 100,000 items, then one
day more on top of the state of that, and of a state of ten times the users. It prints JSON, of the
join with counters and without: CPU microseconds an impression of the component's whole Beam job,
reading and writing included, and how many times that is of DuckDB's join of the same columns, from
Parquet to Parquet, in the same run; peak memory; bytes of an example; and, of a million users
without an impression, the CPU seconds to copy their state and its bytes.

Reference: on two cores, DuckDB's join takes about 3 µs an impression.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks.join_peer import duckdb_join
from benchmarks.join_world import multiply_users
from benchmarks.join_world import World
from benchmarks.join_world import write_world

_MANY = 10


def join(folder: str, output: str, counters: bool, state: str | None, shards: int) -> None:
    """Runs FeatureJoiner in this process and prints what it took, as JSON.

    Args:
        folder: What `write_world` wrote.
        output: Folder of the outputs.
        counters: Whether counters are joined.
        state: Folder of the state before, if any.
        shards: Groups of users.
    """
    from tfx.dsl.components.base import base_beam_executor
    from tfx.types import standard_artifacts

    from semantic_id_ranking.components.artifacts import SemanticIds
    from semantic_id_ranking.components.artifacts import State
    from semantic_id_ranking.components.feature_joiner.executor import Executor
    from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
    from semantic_id_ranking.pipeline.assemble import LOCAL_BEAM_ARGUMENTS

    def artifact(kind: type, uri: str) -> Any:
        result = kind()
        result.uri = uri
        if kind is standard_artifacts.Examples:
            result.split_names = json.dumps(["train", "eval"])
        return result

    examples = standard_artifacts.Examples
    inputs = {
        "impressions": [artifact(examples, f"{folder}/impressions")],
        "items": [artifact(examples, f"{folder}/items")],
        "semantic_ids": [artifact(SemanticIds, f"{folder}/sids")],
    }
    if state:
        inputs["earlier_state"] = [artifact(State, state)]
    outputs = {
        "examples": [artifact(examples, f"{output}/examples")],
        "schema": [artifact(standard_artifacts.Schema, f"{output}/schema")],
        "state": [artifact(State, f"{output}/state")],
    }
    for name in outputs:
        pathlib.Path(output, name).mkdir(parents=True)
    parameters = JoinParameters(
        labels={"click": "click"},
        regressions=(),
        positive="click",
        categorical=(),
        numeric=(),
        history_length=20,
        new_days=1.0,
        head_share=0.5,
        torso_share=0.3,
        max_unknown_fraction=0.0,
        shards=shards,
        item_column="item_id",
        impressions="log",
        current_item=False,
        counters=counters,
    )
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(LOCAL_BEAM_ARGUMENTS),
        tmp_dir=f"{output}/tmp",
        unique_id="1",
    )
    # What TensorFlow and Beam take to import is not the join's.
    import tensorflow as tf

    tf.io.parse_example(tf.zeros([0], tf.string), {"x": tf.io.RaggedFeature(tf.int64)})
    before = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.perf_counter()
    Executor(context).Do(
        inputs, outputs, {"parameters": json.dumps(dataclasses.asdict(parameters)), "span": 0}
    )
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                "seconds": time.perf_counter() - begin,
                "peak_mb": after.ru_maxrss / 1024,
                "started_mb": before.ru_maxrss / 1024,
                "example_bytes": _size(f"{output}/examples"),
                "state_bytes": _size(f"{output}/state"),
            }
        )
    )


def _size(folder: str) -> int:
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


def _measure(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.join", *arguments]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


class Measurement:
    """What joins take, each in a process of its own, in a folder."""

    def __init__(self, world: World, folder: pathlib.Path, rounds: int):
        """Writes a log, and a day more of a fifth of the users.

        Args:
            world: Sizes of the log.
            folder: Where everything goes.
            rounds: How often each join is measured; medians count.
        """
        self._folder = folder
        self._rounds = rounds
        self._log = world
        self._day = World(world.impressions // 5, world.users // 5, world.items)
        self._shards = max(world.impressions // 500_000, 1)
        write_world(folder / "log", self._log)
        write_world(folder / "day", self._day, days=1)

    def logs(self) -> dict[str, Any]:
        """The join of the log, without counters and with them, in turns with DuckDB's."""
        taken: dict[str, list[dict[str, float]]] = {"plain": [], "counters": [], "duckdb": []}
        for _ in range(self._rounds):
            for name in ("plain", "counters"):
                taken[name].append(self._join("log", f"log_{name}", name, self._shards))
            taken["duckdb"].append(_measure("peer", str(self._folder / "log")))
        result = {name: _medians(runs, self._log.impressions) for name, runs in taken.items()}
        peer = result["duckdb"]["cpu_us_an_impression"]
        for name in ("plain", "counters"):
            of_duckdb = result[name]["cpu_us_an_impression"] / peer
            result[name]["times_duckdb"] = of_duckdb
            result[name]["bytes_an_example"] = taken[name][0]["example_bytes"] / (
                self._log.impressions
            )
        return result

    def days(self) -> dict[str, Any]:
        """A day on top of the log's state, and of one of more users; `logs` comes before."""
        result: dict[str, Any] = {"impressions": self._day.impressions}
        for name in ("plain", "counters"):
            state = self._folder / f"log_{name}" / "state"
            many = self._folder / f"many_{name}"
            multiply_users(state, many, _MANY)
            users = {self._log.users: state, _MANY * self._log.users: many}
            taken: dict[int, list[dict[str, float]]] = {count: [] for count in users}
            for _ in range(self._rounds):
                for count, earlier in users.items():
                    output = f"day_{name}_{count}"
                    taken[count].append(self._join("day", output, name, self._shards, str(earlier)))
            found = {count: _medians(runs, self._day.impressions) for count, runs in taken.items()}
            few, most = (
                statistics.median(run["cpu_seconds"] for run in runs) for runs in taken.values()
            )
            size = sum(path.stat().st_size for path in many.glob("users-*"))
            result[name] = {
                **{f"of_{count}_users": of_count for count, of_count in found.items()},
                "million_users": {
                    "cpu_seconds": 1e6 * (most - few) / ((_MANY - 1) * self._log.users),
                    "mb": size / (_MANY * self._log.users),
                },
            }
        return result

    def _join(
        self, log: str, output: str, counters: str, shards: int, state: str = ""
    ) -> dict[str, float]:
        target = self._folder / output
        shutil.rmtree(target, ignore_errors=True)
        flag = str(int(counters == "counters"))
        return _measure("join", str(self._folder / log), str(target), flag, state, str(shards))


def _medians(runs: list[dict[str, float]], impressions: int) -> dict[str, float]:
    seconds = statistics.median(run["cpu_seconds"] for run in runs)
    result = {"cpu_us_an_impression": 1e6 * seconds / impressions}
    if "peak_mb" in runs[0]:
        result["peak_mb"] = max(run["peak_mb"] for run in runs)
        result["of_which_imports_mb"] = min(run["started_mb"] for run in runs)
    return result


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    if arguments and arguments[0] == "join":
        _, folder, output, counters, state, shards = arguments
        join(folder, output, counters == "1", state or None, int(shards))
        return
    if arguments and arguments[0] == "peer":
        print(json.dumps(duckdb_join(arguments[1])))
        return
    parser = argparse.ArgumentParser(prog="make bench-join", description=__doc__)
    parser.add_argument("--impressions", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    world = World(chosen.impressions, chosen.users, chosen.items)
    with tempfile.TemporaryDirectory() as folder:
        measurement = Measurement(world, pathlib.Path(folder), chosen.rounds)
        result = {**dataclasses.asdict(world), "log": measurement.logs(), "day": measurement.days()}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
