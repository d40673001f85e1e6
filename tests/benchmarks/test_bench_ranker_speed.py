import numpy as np
import pytest

from benchmarks.ranker import compare
from benchmarks.ranker_world import RankerWorld
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.config import RankerConfig


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    return RankerWorld(
        ids=np.array([b"item%d" % i for i in range(30)], object),
        sids=rng.integers(0, 4, (30, 2)).astype(np.int32),
        embeddings=rng.normal(size=(30, 3)).astype(np.float32),
        counts=np.arange(30),
        space=SidSpace("none", 2, 4, 3),
        codebooks=rng.normal(size=(2, 4, 3)).astype(np.float32),
        history=5,
    )


def test_histories_are_full_and_items_come_by_popularity(world):
    batches = list(world.batches(("item_id",), 200, 4))
    assert len(batches) == 4
    items = np.concatenate([batch["history_item_id"].numpy() for batch in batches])
    assert items.shape == (800, 5)
    assert not (items == b"").any()
    counts = [(items == name).sum() for name in world.ids]
    expected = 4000 * world.counts / world.counts.sum()
    assert counts[0] == 0
    np.testing.assert_allclose(counts[10:], expected[10:], rtol=0.5)


def test_ratios_are_those_of_one_round(world):
    config = RankerConfig(embedding_dim=4, bottom_widths=(4,), epochs=1, batch_size=16)
    reports = compare(world, rows=12, config=config, steps=2, rounds=3)
    assert reports[0]["representation"] == "random_hash"
    assert reports[0]["ratios"] == [1.0, 1.0, 1.0]
    assert {"sid_spm"} < {report["representation"] for report in reports}
    for report in reports:
        assert report["ratio"] == pytest.approx(sorted(report["ratios"])[1])
        assert report["examples_per_s"] > 0
