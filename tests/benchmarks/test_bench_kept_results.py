import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.kept_results import KeptResults
from benchmarks.sweep import all_sids
from tests.benchmarks.bench_world import config
from tests.benchmarks.bench_world import random_data_set


def test_a_result_is_found_again_under_equal_settings_and_key(tmp_path):
    settings = (random_data_set(config()), 500)
    KeptResults(str(tmp_path), settings).save(("trial", 1), {"auc": np.arange(3)})
    equal = KeptResults(str(tmp_path), (random_data_set(config()), 500))
    np.testing.assert_array_equal(equal.load(("trial", 1))["auc"], [0, 1, 2])
    assert equal.load(("trial", 2)) is None


def changed_label(data):
    labels = data.impressions.labels["click"].copy()
    labels[0] = 1 - labels[0]
    impressions = dataclasses.replace(data.impressions, labels={"click": labels})
    return dataclasses.replace(data, impressions=impressions)


def changed_embedding(data):
    embeddings = data.items.embeddings.copy()
    embeddings[3, 2] += 1e-6
    return dataclasses.replace(data, items=dataclasses.replace(data.items, embeddings=embeddings))


@pytest.mark.parametrize(
    "other",
    [
        lambda data: (data, 499),
        lambda data: (changed_label(data), 500),
        lambda data: (changed_embedding(data), 500),
        lambda data: (data.sample_users(200, seed=0), 500),
        lambda data: (dataclasses.replace(data, config=config("ranker.epochs=3")), 500),
        lambda data: (dataclasses.replace(data, config=config("rqvae.beta=0.3")), 500),
    ],
)
def test_other_settings_find_nothing(tmp_path, other):
    data = random_data_set(config())
    KeptResults(str(tmp_path), (data, 500)).save("trial", 1)
    assert KeptResults(str(tmp_path), other(data)).load("trial") is None


KEEP = """
import sys
from tests.benchmarks.bench_world import config, random_data_set
from benchmarks.kept_results import KeptResults
KeptResults(sys.argv[1], random_data_set(config())).save("trial", "from before")
"""


def test_another_process_finds_it(tmp_path):
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", KEEP, str(tmp_path)], env=environment, check=True)
    kept = KeptResults(str(tmp_path), random_data_set(config()))
    assert kept.load("trial") == "from before"


def test_a_result_that_was_interrupted_in_writing_is_not_there(tmp_path):
    class Breaks:
        def __reduce__(self):
            raise OSError("no space left on device")

    kept = KeptResults(str(tmp_path), "settings")
    with pytest.raises(OSError, match="no space"):
        kept.save("trial", [np.zeros(100), Breaks()])
    assert kept.load("trial") is None


def test_semantic_ids_are_trained_once(tmp_path, monkeypatch):
    data = random_data_set(config())
    trained = []

    def train(ids, embeddings, training, recipe):
        trained.append((recipe.seed, training.sum()))
        return f"sids of seed {recipe.seed}, {training.sum()} items"

    monkeypatch.setattr("benchmarks.sweep.train_sids", train)
    first = all_sids(data, 1, KeptResults(str(tmp_path), data))
    assert [seed for seed, _ in trained] == [0, 0]
    more = all_sids(data, 2, KeptResults(str(tmp_path), data))
    assert [seed for seed, _ in trained] == [0, 0, 1, 1]
    assert set(more) == {("v0", 0), ("v1", 0), ("v0", 1), ("v1", 1)}
    assert {key: more[key] for key in first} == first
    assert len(set(more.values())) == 4
