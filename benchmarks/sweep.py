"""All trials of a data set, several at a time."""

import concurrent.futures
import dataclasses
import gc
import multiprocessing
import os
import time
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from benchmarks.data_set import DataSet
from benchmarks.semantic_ids import train_sids
from benchmarks.stability import training_items
from benchmarks.trial import Bench
from benchmarks.trial import Sids
from benchmarks.trial import Trial
from benchmarks.trial import TrialResult
from benchmarks.variants import all_variants
from benchmarks.variants import table_budgets
from trainer.ranker.representations import create_representation

_STABLE = "sid_spm"
#: Representations of the A/A comparison; the first is what the others are compared with.
COPIED = ("random_hash", "sid_spm", "sid_hybrid")


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes:
        trials: The trials.
        budgets: Table budgets, ascending.
        main_budget: The budget of comparisons that are made at one only: four times the unigram's.
        left_out: (label, rows, why) of representations that a budget does not suffice for.
    """

    trials: Sequence[Trial]
    budgets: Sequence[int]
    main_budget: int
    left_out: Sequence[tuple[str, int, str]]


def make_plan(bench: Bench, data: DataSet, seeds: int, quick: bool) -> Plan:
    """Lists the trials: representation x rows x seeds, v0, and the copies.

    A representation whose table is the same at several budgets is tried at one of them only, the
    smallest that holds it, or the largest where none does.

    Args:
        bench: With the Semantic IDs of seed 0.
        data: The data set.
        seeds: Number of seeds.
        quick: Whether the unigram's budget and four times it are enough.
    """
    codes = data.config.rqvae.levels * data.config.rqvae.codebook_size
    budgets = table_budgets(codes, len(data.items.ids))
    if quick:
        budgets = [codes + 1, 4 * codes]
    cells, left_out = [], []
    for variant in all_variants():
        tables = set()
        for rows in budgets:
            try:
                config = variant.config(rows)
                representation = create_representation(
                    config, data.config.ranker.embedding_dim, bench.resources(config, seed=0)
                )
            except ValueError as error:
                left_out.append((variant.label, rows, str(error)))
                continue
            table_rows = representation.table_rows
            too_large = table_rows > rows and rows != budgets[-1]
            if table_rows not in tables and not too_large:
                cells.append((variant, rows))
                tables.add(table_rows)
    trials = []
    by_label = {variant.label: variant for variant, _ in cells}
    for seed in range(seeds):
        trials += [Trial(variant, rows, seed) for variant, rows in cells]
        trials.append(Trial(by_label[_STABLE], 4 * codes, seed, "v0"))
        trials += [
            Trial(by_label[label], 4 * codes, seed, "copies")
            for label in COPIED
            if label in by_label
        ]
    return Plan(trials, budgets, 4 * codes, left_out)


def all_sids(data: DataSet, seeds: int) -> dict[tuple[str, int], Sids]:
    """Trains the RQ-VAEs: v0 and v1 for every seed.

    Args:
        data: The data set.
        seeds: Number of seeds.
    """
    items = data.items
    versions = training_items(items.created_at, data.training_items)
    return {
        (version, seed): train_sids(
            items.ids,
            items.embeddings,
            mask,
            dataclasses.replace(data.config.rqvae, seed=seed),
        )
        for seed in range(seeds)
        for version, mask in versions.items()
    }


def run_trials(
    data: DataSet,
    sids: Mapping[tuple[str, int], Sids],
    trials: Sequence[Trial],
    resamples: int,
    workers: int,
) -> list[TrialResult]:
    """Runs trials in worker processes of one thread each: small models do not fill two.

    Args:
        data: The data set.
        sids: Semantic IDs by version and seed.
        trials: What to run.
        resamples: Draws of the bootstrap.
        workers: Processes; 0 runs in this one.

    Returns:
        Results in the order of the trials.
    """
    start = time.monotonic()
    if not workers:
        bench = Bench(data, sids, resamples)
        return [bench.run(trial) for trial in trials]
    with concurrent.futures.ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(data, sids, resamples),
    ) as pool:
        futures = [pool.submit(_run, trial) for trial in trials]
        for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
            _say(future.result(), done, len(trials), time.monotonic() - start)
        return [future.result() for future in futures]


def default_workers() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))


_bench: Bench


def _start_worker(data: DataSet, sids: Mapping[tuple[str, int], Sids], resamples: int) -> None:
    global _bench
    tf.config.threading.set_intra_op_parallelism_threads(1)
    _bench = Bench(data, sids, resamples)


def _run(trial: Trial) -> TrialResult:
    tf.keras.backend.clear_session()
    gc.collect()
    return _bench.run(trial)


def _say(result: TrialResult, done: int, total: int, seconds: float) -> None:
    trial = result.trial
    # The last one stays: that of the first task.
    rows = reversed(result.metrics)
    auc = {row["slice"]: row["auc"] for row in rows if row.get("auc") is not None}
    text = ", ".join(f"{name} {auc[name]:.4f}" for name in ("all", "new", "unseen") if name in auc)
    print(
        f"{done:3d}/{total} {seconds / 60:5.1f} min  {trial.variant.label:20s} "
        f"{trial.rows:6d} rows  seed {trial.seed}  {trial.world:6s}  AUC {text}",
        flush=True,
    )
