"""Cost of FeatureJoiner, beside DuckDB's join of the same impressions.

`make bench-join` joins a million synthetic impressions of 50,000 users and 100,000 items, then one
day more on top of states of two sizes. It prints JSON: CPU microseconds an impression of the
component's whole Beam job, reading and writing included, with counters and without; of DuckDB's
join of the same columns, from Parquet to Parquet; peak memory; bytes of an example; and, of a
million users without an impression, the CPU seconds to copy their state and its bytes.

Reference: on two cores, DuckDB's join takes about 3 µs an impression.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAY = 86_400_000_000
LEVELS, CODES, DAYS = 8, 2048, 10


@dataclasses.dataclass(frozen=True)
class World:
    """Sizes of a synthetic log.

    Attributes:
        impressions: Of the log.
        users: Users of it, all equally active.
        items: Items, of a popularity that falls as 1 / rank.
    """

    impressions: int
    users: int
    items: int


def write_world(folder: pathlib.Path, world: World, first_user: int = 0, days: int = DAYS) -> None:
    """Writes a log as ImpressionGen's Examples and as Parquet, its items and Semantic IDs.

    Args:
        folder: Where to.
        world: Sizes.
        first_user: Number of the first user.
        days: Days of the log, the last of which evaluates; 1: the day after those.
    """
    from semantic_id_ranking.contracts import sid_table
    from semantic_id_ranking.contracts.sid_space import SidSpace

    rng = np.random.default_rng(days)
    ids = pa.array([f"item{i:08d}" for i in range(world.items)])
    rank = np.exp(rng.random(world.impressions) * np.log(world.items)).astype(np.int64) - 1
    if days == 1:
        timestamp = np.sort(rng.integers(DAYS * DAY, (DAYS + 1) * DAY, world.impressions))
    else:
        timestamp = np.sort(rng.integers(0, days * DAY, world.impressions))
    user = first_user + rng.integers(0, world.users, world.impressions)
    log = pa.table(
        {
            "user_id": pa.array([b"user%08d" % u for u in user], pa.large_binary()),
            "item_id": ids.take(pa.array(rank)).cast(pa.large_binary()),
            "timestamp": timestamp,
            "click": rng.integers(0, 2, world.impressions),
        }
    )
    evaluation = timestamp >= (days - 1) * DAY if days > 1 else timestamp >= (DAYS + 0.9) * DAY
    for split, mine in (("train", ~evaluation), ("eval", evaluation)):
        _write_examples(folder / "impressions" / f"Split-{split}", log.filter(pa.array(mine)))
    pq.write_table(log.append_column("evaluation", pa.array(evaluation)), folder / "log.parquet")
    items = pa.table(
        {"item_id": ids.cast(pa.large_binary()), "created_at": np.zeros(world.items, np.int64)}
    )
    _write_examples(folder / "items" / "Split-train", items)
    _write_examples(folder / "items" / "Split-eval", items.slice(0, 0))
    space = SidSpace("0" * 16, LEVELS, CODES, embedding_dim=4)
    sids = np.random.default_rng(0).integers(0, CODES, (world.items, LEVELS)).astype(np.int32)
    (folder / "sids").mkdir()
    table = sid_table.to_table(
        np.array(ids.to_pylist(), object), sids, np.zeros(world.items, np.int64), space
    )
    pq.write_table(table, folder / "sids" / "sids.parquet")


def _write_examples(folder: pathlib.Path, table: pa.Table) -> None:
    import tensorflow as tf

    from semantic_id_ranking.components.example_gen.encode import encode
    from semantic_id_ranking.components.example_gen.encode import to_record_batch

    folder.mkdir(parents=True)
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), options) as file:
        for batch in table.to_batches(16_384):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            for example in encode(to_record_batch(columns)):
                file.write(example)


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
        beam_pipeline_args=["--runner=FnApiRunner", "--direct_running_mode=in_memory"],
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


def peer(folder: str, history: int = 20) -> dict[str, float]:
    """DuckDB's join: each impression with the user's last positives of the days before, to Parquet.

    Args:
        folder: What `write_world` wrote.
        history: Events, at most.
    """
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    before = time.process_time()
    connection.execute(
        f"""
        COPY (
          WITH log AS (SELECT *, timestamp // {DAY} AS day FROM '{folder}/log.parquet'),
          days AS (
            SELECT user_id, day, list({{'t': timestamp, 'i': item_id}}
                   ORDER BY timestamp DESC, item_id DESC) FILTER (click = 1) AS events
            FROM log GROUP BY user_id, day),
          past AS (
            SELECT user_id, day, list_slice(flatten(list_reverse(
                   list(coalesce(events, [])) OVER (PARTITION BY user_id ORDER BY day
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))), 1, {history}) AS history
            FROM days)
          SELECT log.*, sids.sid, [e.i FOR e IN past.history] AS history
          FROM log JOIN past USING (user_id, day)
          JOIN (SELECT item_id::BLOB AS item_id, sid FROM '{folder}/sids/sids.parquet') AS sids
          USING (item_id)
        ) TO '{folder}/peer.parquet'
        """
    )
    return {"cpu_seconds": time.process_time() - before}


def _size(folder: str) -> int:
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


def _measure(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.join", *arguments]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(world: World, folder: pathlib.Path) -> dict[str, Any]:
    """Everything, in processes of their own; see the module's docstring."""
    shards = max(world.impressions // 500_000, 1)
    (folder / "world").mkdir()
    write_world(folder / "world", world)
    result: dict[str, Any] = dataclasses.asdict(world)
    for name, flag in (("plain", "0"), ("counters", "1")):
        done = _measure("join", str(folder / "world"), str(folder / name), flag, "", str(shards))
        result[name] = {
            "cpu_us_an_impression": 1e6 * done["cpu_seconds"] / world.impressions,
            "peak_mb": done["peak_mb"],
            "of_which_imports_mb": done["started_mb"],
            "bytes_an_example": done["example_bytes"] / world.impressions,
            "state_bytes_a_user": done["state_bytes"] / world.users,
        }
    done = _measure("peer", str(folder / "world"))
    result["duckdb"] = {"cpu_us_an_impression": 1e6 * done["cpu_seconds"] / world.impressions}

    # One day of a fifth of the users, on top of this state, and of one of ten times the users.
    day = World(world.impressions // 5, world.users // 5, world.items)
    (folder / "day").mkdir()
    write_world(folder / "day", day, days=1)
    many = World(10 * world.impressions, 10 * world.users, world.items)
    (folder / "many").mkdir()
    write_world(folder / "many", many)
    state = "many_state"
    _measure("join", str(folder / "many"), str(folder / state), "0", "", str(10 * shards))
    costs = {}
    for name, users in (("plain", world.users), (state, many.users)):
        output = str(folder / f"day_on_{name}")
        earlier = str(folder / name / "state")
        done = _measure("join", str(folder / "day"), output, "0", earlier, str(shards))
        costs[users] = done["cpu_seconds"]
        result[f"day_on_{users}_users"] = {
            "cpu_us_an_impression": 1e6 * done["cpu_seconds"] / day.impressions,
            "peak_mb": done["peak_mb"],
        }
    per_user = (costs[many.users] - costs[world.users]) / (many.users - world.users)
    result["cpu_seconds_to_copy_a_million_users"] = 1e6 * per_user
    size = _size(str(folder / state / "state")) - os.path.getsize(
        folder / state / "state" / "items.parquet"
    )
    result["mb_of_a_million_users"] = size / many.users
    return result


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    if arguments and arguments[0] == "join":
        _, folder, output, counters, state, shards = arguments
        join(folder, output, counters == "1", state or None, int(shards))
        return
    if arguments and arguments[0] == "peer":
        print(json.dumps(peer(arguments[1])))
        return
    parser = argparse.ArgumentParser(prog="make bench-join", description=__doc__)
    parser.add_argument("--impressions", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=100_000)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        world = World(chosen.impressions, chosen.users, chosen.items)
        print(json.dumps(measure(world, pathlib.Path(folder)), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
