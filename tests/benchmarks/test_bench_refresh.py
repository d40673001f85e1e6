import numpy as np

from benchmarks.refresh import judge_days
from benchmarks.refresh import measure
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig

RNG = np.random.default_rng(0)
CENTRES = 3 * RNG.normal(size=(12, 6))
ITEMS = (CENTRES[RNG.integers(0, 12, 800)] + RNG.normal(size=(800, 6))).astype(np.float32)
CONFIG = RqVaeConfig(preset="rq_kmeans", levels=2, codebook_size=16, kmeans_mixtures=0)


def test_items_that_are_to_keep_their_codes_do_so_more_often_than_others():
    result = measure(ITEMS, np.arange(800), CONFIG)
    assert (result["items"], result["first_half"]) == (800, 400)
    assert result["earlier"]["kept_all"] == [1.0, 1.0]
    assert result["from_nothing"]["change"] == 0
    kept = {
        recipe: result[recipe]["kept_first_half"][-1]
        for recipe in ("from_nothing", "keep_none", "keep_first_half")
    }
    assert kept["keep_first_half"] > kept["keep_none"]
    assert kept["keep_first_half"] > kept["from_nothing"]


def test_days_are_judged_with_and_without_another_encoder():
    result = judge_days(ITEMS, np.arange(800), CONFIG, 5, 40)
    assert result["new_items"] == [40] * 5
    assert result["undisturbed"] == {"keep": 5}
    assert result["rotated"] == {"refresh": 5}
    assert result["zeros"] == {"stop": 5}
