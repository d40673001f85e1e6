import dataclasses

import numpy as np
import pytest

from benchmarks import ranker_quality
from benchmarks.finished_run import Split
from semantic_id_ranking.evaluation import predictions as columns
from semantic_id_ranking.trainer.ranker.config import TaskConfig

ROWS = 400


@dataclasses.dataclass
class World:
    """Stands for a finished run: labels are drawn by the first feature."""

    tasks = [TaskConfig("click"), TaskConfig("like")]
    categorical = [1]
    baselines = ("random_hash",)

    def __post_init__(self):
        rng = np.random.default_rng(0)
        self.features = rng.random((2 * ROWS, 2)).astype(np.float32)
        labels = (rng.random((2 * ROWS, 2)) < self.features[:, :1]).astype(np.float32)
        labels[::9, 1] = np.nan
        self.parts = {
            name: Split(
                self.features[rows], labels[rows], np.arange(ROWS), np.arange(ROWS, dtype="u8")
            )
            for name, rows in (("train", slice(ROWS)), ("eval", slice(ROWS, None)))
        }

    def split(self, name):
        return self.parts[name]

    def predictions(self, spec):
        part = self.parts["eval"]
        found = {
            "user": columns.item_digests(np.arange(ROWS) % 20),
            "item": part.item,
            "has_user": np.ones(ROWS, bool),
            "time": part.time,
        }
        found |= {columns.slice_column(name): np.ones(ROWS, bool) for name in spec.slices[1:]}
        for position, task in enumerate(spec.tasks):
            found[columns.label_column(task)] = part.labels[:, position]
            found[columns.score_column("candidate", task)] = part.features[:, 0]
            found[columns.score_column("random_hash", task)] = 1 - part.features[:, 0]
        return found


@pytest.fixture
def world(monkeypatch):
    """A world whose LightGBM says what its first feature says."""

    def run(script, folder, requests):
        assert (script, requests) == (
            "lightgbm_scores",
            {"tasks": ["click", "like"], "categorical": [1]},
        )
        for name, shape in (("features_train", (ROWS, 2)), ("labels_train", (ROWS, 2))):
            assert np.load(f"{folder}/{name}.npy").shape == shape
        first = np.load(f"{folder}/features_eval.npy")[:, 0]
        np.save(f"{folder}/scores.npy", np.stack([first, 0.5 * first], axis=1))
        return {"click": {"trees": 3}}

    monkeypatch.setattr(ranker_quality.peers, "run", run)
    return World()


def test_the_peer_is_compared_with_the_ranker_on_the_same_impressions(world):
    report = ranker_quality.compare(world)
    assert report["lightgbm"] == {"click": {"trees": 3}}
    for task, known in (
        ("click", ROWS),
        ("like", int((~np.isnan(world.parts["eval"].labels[:, 1])).sum())),
    ):
        of_all = report["tasks"][task]["slices"]["all"]
        assert of_all["examples"] == known
        models, differences = of_all["models"], of_all["differences"]
        assert models["lightgbm"]["auc"] == pytest.approx(models["candidate"]["auc"])
        # A probability that is uniform between 0 and 1 has 5/6.
        assert models["lightgbm"]["auc"] == pytest.approx(5 / 6, abs=0.05)
        assert differences["lightgbm"]["auc"]["estimate"] == pytest.approx(0)
        assert differences["random_hash"]["auc"]["low"] > 0.4


def test_predictions_of_other_impressions_are_refused(world):
    part = world.parts["eval"]
    world.parts["eval"] = dataclasses.replace(part, item=part.item[::-1])
    found = world.predictions
    world.predictions = lambda spec: {**found(spec), "item": part.item}
    with pytest.raises(RuntimeError, match="of different impressions"):
        ranker_quality.compare(world)
