import json

import numpy as np
import pytest

from benchmarks.copies import with_copies
from benchmarks.kept_results import KeptResults
from benchmarks.paper_report import copy_rows
from benchmarks.paper_report import run_rows
from benchmarks.semantic_ids import Sids
from benchmarks.sweep import FailedTrial
from benchmarks.sweep import make_plan
from benchmarks.sweep import run_trials
from benchmarks.trial import Bench
from benchmarks.trial import Trial
from benchmarks.trial import TrialResult
from benchmarks.variants import all_variants
from benchmarks.variants import table_budgets
from benchmarks.worker_pool import Failure
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from tests.benchmarks.bench_world import config
from tests.benchmarks.bench_world import random_data_set


@pytest.fixture(scope="module")
def world():
    """A data set of 40 items, and Semantic IDs of 2 x 8 codes by version and seed."""
    data = random_data_set(config("history.length=3"))
    space = SidSpace("none", 2, 8, 6)
    rng = np.random.default_rng(0)
    sids = {
        (version, seed): Sids(
            rng.integers(0, 8, (40, 2)).astype(np.int32),
            space,
            rng.normal(size=(2, 8, 6)).astype(np.float32),
        )
        for version in ("v0", "v1")
        for seed in (0, 1)
    }
    return data, sids


def test_budgets_are_multiples_of_the_unigrams_rows():
    assert table_budgets(1024, 3593) == [256, 1025, 3593, 4096]
    assert table_budgets(16, 17) == [4, 17, 64]


def test_every_representation_of_the_registry_is_planned(world):
    data, sids = world
    plan = make_plan(Bench(data, sids, 3), data, seeds=2, quick=False)

    assert plan.budgets == [4, 17, 40, 64]
    main = [trial for trial in plan.trials if trial.world == "main"]
    assert {trial.variant.name for trial in main} == set(REGISTRY)
    assert len(main) == len(set(main))
    of = {
        label: sorted(t.rows for t in main if t.variant.label == label and t.seed == 0)
        for label in {trial.variant.label for trial in main}
    }
    assert of["random_hash"] == [4, 17, 40, 64]
    assert len(of["dense"]) == len(of["individual_id"]) == 1
    assert ("sid_spm", 4) in {(label, rows) for label, rows, _ in plan.left_out}
    assert 4 not in of["sid_spm"]
    for kind in ("v0", "copies"):
        chosen = [trial for trial in plan.trials if trial.world == kind]
        assert {(trial.rows, trial.seed) for trial in chosen} == {(64, 0), (64, 1)}


def test_a_table_that_no_budget_holds_is_tried_as_large_as_it_is(world):
    data, sids = world
    doubled = with_copies(data)
    bench = Bench(doubled, {key: of.twice() for key, of in sids.items()}, 3)
    plan = make_plan(bench, doubled, seeds=1, quick=True)
    assert plan.budgets == [17, 64]
    impressed = np.count_nonzero(doubled.item_counts())
    (rows,) = {t.rows for t in plan.trials if t.variant.label == "individual_id"}
    assert rows == impressed + 1 > 64


@pytest.mark.slow
def test_trials_give_what_the_report_holds(world):
    data, sids = world
    variants = {variant.label: variant for variant in all_variants()}
    trials = [
        Trial(variants["sid_spm"], 64, 0),
        Trial(variants["sid_spm"], 64, 0, "copies"),
        Trial(variants["random_hash"], 64, 0, "copies"),
    ]
    bench = Bench(data, sids, 5)
    results = [bench.run(trial) for trial in trials]

    rows = run_rows(results[:1])
    assert [row["slice"] for row in rows] == ["all", "new", "unseen", "head", "torso", "tail"]
    assert rows[0]["examples"] == data.impressions.evaluation.sum()
    assert {row["representation"] for row in rows} == {"sid_spm"}
    assert 1 <= rows[0]["lookups"] <= 2
    assert set(rows[0]) >= {
        "representation",
        "rows",
        "lookups",
        "seed",
        "task",
        "slice",
        "auc",
        "normalized_entropy",
        "user_auc",
        "examples",
        "seconds",
    }
    assert results[0].samples["all"].shape == (5,)
    # Copies have one Semantic ID, and two hashed IDs.
    of_spm, of_hash = (row["mean_relative_difference"] for row in copy_rows(results))
    assert of_spm == pytest.approx(0.0, abs=1e-5)
    assert of_hash > 0.001
    json.dumps(rows)


class Bed:
    """Stands in for the worker processes: says what every trial comes to, and what was run."""

    def __init__(self, monkeypatch):
        self.ran = []
        self.broken = set()
        monkeypatch.setattr("benchmarks.sweep.run_each", self.run_each)

    def run_each(self, function, tasks, workers, initializer, initargs):
        for trial in reversed(tasks):
            self.ran.append(trial)
            if trial in self.broken:
                yield trial, Failure("MemoryError: none left")
            else:
                metrics = [{"slice": "all", "auc": 0.5 + trial.rows / 1000}]
                yield trial, TrialResult(trial, trial.rows, {}, None, metrics, {}, None, 1.0)


@pytest.fixture
def bed(monkeypatch):
    return Bed(monkeypatch)


def test_a_sweep_goes_on_where_it_was_and_tries_failures_again(bed, tmp_path, capsys):
    variants = {variant.label: variant for variant in all_variants()}
    trials = [Trial(variants["dense"], rows, seed) for rows in (1, 2) for seed in (0, 1)]

    def run(trials):
        bed.ran.clear()
        return run_trials(None, {}, trials, 5, 2, KeptResults(str(tmp_path), "settings"))

    bed.broken = {trials[2]}
    results, failed = run(trials)
    assert [result.trial for result in results] == [trials[0], trials[1], trials[3]]
    assert failed == [FailedTrial(trials[2], "MemoryError: none left")]
    assert "failed: MemoryError: none left" in capsys.readouterr().out
    # The failure is tried again, and nothing else.
    bed.broken = set()
    results, failed = run(trials)
    assert bed.ran == [trials[2]]
    assert [result.trial for result in results] == trials
    assert [result.metrics[0]["auc"] for result in results] == [0.501, 0.501, 0.502, 0.502]
    assert not failed
    # Another seed is another trial; so are another representation, budget and world.
    others = [
        Trial(variants["dense"], 1, 2),
        Trial(variants["random_hash"], 1, 0),
        Trial(variants["dense"], 3, 0),
        Trial(variants["dense"], 1, 0, "copies"),
    ]
    run([*trials, *others])
    assert set(bed.ran) == set(others)


def test_what_a_sweep_had_before_it_was_killed_is_kept(bed, tmp_path, monkeypatch):
    variants = {variant.label: variant for variant in all_variants()}
    trials = [Trial(variants["dense"], 1, seed) for seed in range(3)]

    def killed(*arguments):
        runs = bed.run_each(*arguments)
        yield next(runs)
        yield next(runs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("benchmarks.sweep.run_each", killed)
        with pytest.raises(KeyboardInterrupt):
            run_trials(None, {}, trials, 5, 2, KeptResults(str(tmp_path), "settings"))
    bed.ran.clear()
    results, _ = run_trials(None, {}, trials, 5, 2, KeptResults(str(tmp_path), "settings"))
    assert bed.ran == [trials[0]]
    assert [result.trial for result in results] == trials
