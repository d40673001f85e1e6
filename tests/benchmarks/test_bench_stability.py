import numpy as np

from benchmarks.experiment import Experiment
from benchmarks.stability import Stability
from benchmarks.stability import training_items
from tests.benchmarks.bench_world import config
from tests.benchmarks.bench_world import random_data_set


def test_v0_sees_the_first_half_of_the_training_periods_items():
    created_at = np.array([5, 1, 9, 3, 2, 8])
    training = created_at < 8
    versions = training_items(created_at, training)
    assert created_at[versions["v0"]].tolist() == [1, 2]
    assert created_at[versions["v1"]].tolist() == [5, 1, 3, 2]


def test_both_versions_are_judged_on_the_same_impressions():
    settings = config("history.length=3", "representation.rows=40")
    data = random_data_set(settings, item_count=120, count=600)
    stability = Stability(Experiment(data), resamples=20)
    run = stability.run(seed=0)

    assert len(run["code_agreement"]) == len(run["pair_agreement"]) == 2
    assert 0 <= run["mutual_information"]["normalized"] <= 1
    assert set(run["auc"]) == {"v0", "v1"}
    difference = stability.differences()["all"]
    low, high = difference["ci"]
    point = run["auc"]["v1"]["all"] - run["auc"]["v0"]["all"]
    # One seed and a spread of users: the point lies inside, whatever it is.
    assert low <= point <= high
    assert difference["same"] == (low <= 0 <= high)
    assert stability.items["v1"] == data.training_items.sum()
    assert 0 < stability.items["v0"] < stability.items["v1"]
