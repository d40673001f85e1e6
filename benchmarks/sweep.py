"""All trials of a data set, several at a time."""

import dataclasses
import gc
import os
import pickle
import tempfile
import time
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from benchmarks.data_set import DataSet
from benchmarks.kept_results import KeptResults
from benchmarks.semantic_ids import Sids
from benchmarks.semantic_ids import train_sids
from benchmarks.stability import training_items
from benchmarks.trial import Bench
from benchmarks.trial import CLAIM_SLICES
from benchmarks.trial import Trial
from benchmarks.trial import TrialResult
from benchmarks.variants import all_variants
from benchmarks.variants import table_budgets
from benchmarks.worker_pool import Failure
from benchmarks.worker_pool import run_each

_STABLE = "sid_spm"
#: Representations of the A/A comparison; the first is what the others are compared with.
COPIED = ("random_hash", "sid_spm", "sid_hybrid")


@dataclasses.dataclass(frozen=True)
class Plan:
    """The plan of a sweep.

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


@dataclasses.dataclass(frozen=True)
class FailedTrial:
    """A trial that failed, and failed again in a fresh process.

    Attributes:
        trial: The trial.
        reason: Why, in one line.
    """

    trial: Trial
    reason: str

    @property
    def name(self) -> str:
        """The trial in words, as `random_hash at 4096 rows, seed 0`."""
        trial = self.trial
        world = "" if trial.world == "main" else f", {trial.world}"
        return f"{trial.variant.label} at {trial.rows} rows, seed {trial.seed}{world}"


def make_plan(bench: Bench, data: DataSet, seeds: int, quick: bool) -> Plan:
    """Lists the trials: representation x rows x seeds, v0, and the copies.

    A representation whose table is the same at several budgets is tried at one of them only, the
    smallest that holds it. Where none does, it is tried with the rows that it takes.

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
        tables, table_rows = set(), 0
        for rows in budgets:
            try:
                config = variant.config(rows)
                representation = config.create(
                    data.config.ranker.embedding_dim, bench.resources(config, seed=0)
                )
            except ValueError as error:
                left_out.append((variant.label, rows, str(error)))
                continue
            table_rows = representation.table_rows
            if table_rows <= rows and table_rows not in tables:
                cells.append((variant, rows))
                tables.add(table_rows)
        if table_rows > budgets[-1]:
            cells.append((variant, table_rows))
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


def all_sids(data: DataSet, seeds: int, kept: KeptResults) -> dict[tuple[str, int], Sids]:
    """Trains the RQ-VAEs, v0 and v1 for every seed, unless their Semantic IDs are kept.

    Args:
        data: The data set.
        seeds: Number of seeds.
        kept: Where they are looked for and kept.
    """
    items = data.items
    versions = training_items(items.created_at, data.training_items)
    sids = {}
    for seed in range(seeds):
        config = dataclasses.replace(data.config.rqvae, seed=seed)
        for version, mask in versions.items():
            found = kept.load(("sids", version, seed))
            if found is None:
                found = train_sids(items.ids, items.embeddings, mask, config)
                kept.save(("sids", version, seed), found)
            sids[version, seed] = found
    return sids


def run_trials(
    data: DataSet,
    sids: Mapping[tuple[str, int], Sids],
    trials: Sequence[Trial],
    resamples: int,
    workers: int,
    kept: KeptResults,
) -> tuple[list[TrialResult], list[FailedTrial]]:
    """Runs trials in worker processes of one thread each: small models do not fill two.

    Args:
        data: The data set.
        sids: Semantic IDs by version and seed.
        trials: The plan of a sweep.
        resamples: Draws of the bootstrap.
        workers: Processes.
        kept: Where a result is looked for before it is trained, and kept as soon as it is there.
            Failures are not kept.

    Returns:
        Results and failures, each in the order of the trials.
    """
    start = time.monotonic()
    # With the whole configuration, so that another default is another key.
    keys = {trial: ("trial", trial, trial.variant.config(trial.rows)) for trial in trials}
    outcomes = {trial: kept.load(key) for trial, key in keys.items()}
    missing = [trial for trial, outcome in outcomes.items() if outcome is None]
    if len(missing) < len(trials):
        print(f"{len(trials) - len(missing)} of {len(trials)} were trained before and are kept")
    with tempfile.NamedTemporaryFile() as file:
        pickle.dump((data, sids, resamples), file)
        file.flush()
        runs = run_each(_run, missing, workers, _start_worker, (file.name,))
        for done, (trial, outcome) in enumerate(runs, 1):
            if isinstance(outcome, Failure):
                outcomes[trial] = FailedTrial(trial, outcome.reason)
            else:
                outcomes[trial] = outcome
                kept.save(keys[trial], outcome)
            _say(outcomes[trial], done, len(missing), time.monotonic() - start)
    return (
        [outcome for outcome in outcomes.values() if isinstance(outcome, TrialResult)],
        [outcome for outcome in outcomes.values() if isinstance(outcome, FailedTrial)],
    )


def default_workers() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))


_bench: Bench


def _start_worker(path: str) -> None:
    """Prepares a process with the arguments of `Bench` in a pickle."""
    global _bench
    tf.config.threading.set_intra_op_parallelism_threads(1)
    with open(path, "rb") as file:
        _bench = Bench(*pickle.load(file))


def _run(trial: Trial) -> TrialResult:
    tf.keras.backend.clear_session()
    gc.collect()
    return _bench.run(trial)


def _say(outcome: TrialResult | FailedTrial, done: int, total: int, seconds: float) -> None:
    trial = outcome.trial
    if isinstance(outcome, FailedTrial):
        text = f"failed: {outcome.reason}"
    else:
        # The last one stays: that of the first task.
        rows = reversed(outcome.metrics)
        auc = {row["slice"]: row["auc"] for row in rows if row.get("auc") is not None}
        found = (f"{name} {auc[name]:.4f}" for name in CLAIM_SLICES if name in auc)
        text = f"AUC {', '.join(found)}"
    print(
        f"{done:3d}/{total} {seconds / 60:5.1f} min  {trial.variant.label:20s} "
        f"{trial.rows:6d} rows  seed {trial.seed}  {trial.world:6s}  {text}",
        flush=True,
    )
