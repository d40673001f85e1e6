"""`sid encode` against the bare `encode` signature; the second part of `make bench-encode`.

Writes the key `beam` of `benchmarks/out/encode.json`. On two idle cores expect that two workers
encode a million items of 256 dims at 0.6 of the rate that the signature has by itself (`ratio`,
start-up included), and that the peak memory is that of 100,000 items (`memory_growth` 1).
`cpu_ratio` compares processor time instead of wall time: it holds on a busy machine too.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import command

DIM = 256
LEVELS = 8
CODEBOOK_SIZE = 2048
ITEMS = 1_000_000
FEWER_ITEMS = 100_000
# Enough for two workers; encoding them takes a fraction of a second.
START_UP_ITEMS = 2048
_OUT = "benchmarks/out/encode.json"
_BLOCK = 8192
_IN_PROCESS_ITEMS = 20 * _BLOCK


def main() -> None:
    """Measures and writes."""
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model")
        _in_child(export_model, model)
        sizes = (START_UP_ITEMS, FEWER_ITEMS, ITEMS)
        paths = {count: os.path.join(folder, f"items{count}.parquet") for count in sizes}
        for count, path in paths.items():
            write_items(path, count)
        runs, in_process = [], []
        for workers in (1, 2):
            for count in sizes:
                in_process.append(_in_child(in_process_rate, model))
                output = os.path.join(folder, "out")
                runs.append(measure(model, paths[count], count, workers, output))
    rates, cpu_rates = zip(*in_process, strict=True)
    report = summarize(runs, statistics.median(rates), statistics.median(cpu_rates))
    print(json.dumps(report, indent=1))
    command.update_json(_OUT, {"beam": report})


def write_items(path: str, count: int) -> None:
    """Writes random items as pyarrow does by default: a million in one row group."""
    rng = np.random.default_rng(0)
    schema = pa.schema([("item_id", pa.string()), ("embedding", pa.list_(pa.float32()))])
    embeddings = rng.standard_normal((count, DIM), np.float32)
    offsets = pa.array(np.arange(count + 1, dtype=np.int32) * DIM)
    vectors = pa.ListArray.from_arrays(offsets, pa.array(embeddings.reshape(-1)))
    table = pa.table([pa.array([f"item{i}" for i in range(count)]), vectors], schema)
    pq.write_table(table, path, row_group_size=count)


def export_model(path: str) -> None:
    """Writes a semantic_id SavedModel whose codebooks are random."""
    from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
    from semantic_id_ranking.trainer.rqvae.export import export
    from semantic_id_ranking.trainer.rqvae.model import RqVae

    config = RqVaeConfig(levels=LEVELS, codebook_size=CODEBOOK_SIZE, latent_dim=DIM)
    model = RqVae(config, np.zeros(DIM), np.ones(DIM))
    rng = np.random.default_rng(1)
    # Each level explains a part of what the levels before left over.
    model.codebooks.assign(
        [
            rng.standard_normal((CODEBOOK_SIZE, DIM), np.float32) * np.float32(0.3 * 0.9**level)
            for level in range(LEVELS)
        ]
    )
    export(model, path)


def in_process_rate(model: str) -> tuple[float, float]:
    """Rates of the signature by itself, from arrays in memory, on all cores.

    Returns:
        Items a second, and items a second of processor time.
    """
    from semantic_id_ranking.encoding.encode import Encoder

    encoder = Encoder(model)
    embeddings = np.random.default_rng(2).standard_normal((_BLOCK, DIM), np.float32)
    for _ in range(3):
        encoder(embeddings)
    begin, cpu_begin = time.perf_counter(), _cpu_seconds(resource.RUSAGE_SELF)
    for _ in range(_IN_PROCESS_ITEMS // _BLOCK):
        encoder(embeddings)
    cpu_seconds = _cpu_seconds(resource.RUSAGE_SELF) - cpu_begin
    return _IN_PROCESS_ITEMS / (time.perf_counter() - begin), _IN_PROCESS_ITEMS / cpu_seconds


def measure(model: str, items: str, count: int, workers: int, output: str) -> dict[str, Any]:
    """Runs `sid encode` and watches the memory of all its processes."""
    arguments = ["--model", model, "--items", items, "--output", output, "--workers", str(workers)]
    begin, cpu_begin = time.perf_counter(), _cpu_seconds(resource.RUSAGE_CHILDREN)
    process = psutil.Popen(
        [sys.executable, "-m", "semantic_id_ranking.cli.main", "encode", *arguments],
        stdout=subprocess.DEVNULL,
    )
    total, largest = 0, 0
    while process.poll() is None:
        sizes = [_resident(each) for each in [process, *_children(process)]]
        total, largest = max(total, sum(sizes)), max(largest, *sizes)
        time.sleep(0.1)
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise RuntimeError(f"`sid encode` failed with status {process.returncode}: {output}.log")
    return {
        "items": count,
        "workers": workers,
        "seconds": seconds,
        "cpu_seconds": _cpu_seconds(resource.RUSAGE_CHILDREN) - cpu_begin,
        "peak_bytes_of_all_processes": total,
        "peak_bytes_of_largest_process": largest,
    }


def summarize(
    runs: list[dict[str, Any]], in_process: float, in_process_cpu: float
) -> dict[str, Any]:
    """The report; the start-up is what the run over the fewest items took.

    Args:
        runs: What `measure` returned.
        in_process: Items a second of the signature by itself.
        in_process_cpu: Items a second of its processor time.
    """
    start_up = {run["workers"]: run["seconds"] for run in runs if run["items"] == START_UP_ITEMS}
    for run in runs:
        run["items_per_s"] = run["items"] / run["seconds"]
        if run["items"] > START_UP_ITEMS:
            net = run["items"] / max(run["seconds"] - start_up[run["workers"]], 1e-9)
            run["items_per_s_after_start_up"] = net
            run["cpu_ratio"] = run["items"] / run["cpu_seconds"] / in_process_cpu
            run["ratio"] = run["items_per_s"] / in_process
            run["ratio_after_start_up"] = net / in_process
    full = {run["workers"]: run for run in runs if run["items"] == ITEMS}
    fewer = {run["workers"]: run for run in runs if run["items"] == FEWER_ITEMS}
    return {
        "dim": DIM,
        "levels": LEVELS,
        "codebook_size": CODEBOOK_SIZE,
        "in_process_items_per_s": in_process,
        "start_up_seconds": {str(workers): seconds for workers, seconds in start_up.items()},
        "ratio": full[2]["ratio"],
        "cpu_ratio": full[2]["cpu_ratio"],
        "ratio_after_start_up": full[2]["ratio_after_start_up"],
        "memory_growth": {
            str(workers): full[workers]["peak_bytes_of_all_processes"]
            / fewer[workers]["peak_bytes_of_all_processes"]
            for workers in full
        },
        "runs": runs,
    }


def _cpu_seconds(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _in_child(function: Any, *arguments: Any) -> Any:
    """Calls a function in a process of its own, so that TensorFlow's threads end with it."""
    import concurrent.futures
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return pool.submit(function, *arguments).result()


if __name__ == "__main__":
    main()
