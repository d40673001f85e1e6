"""Drift found on its first day, and none on undisturbed days, in worlds of several kinds."""

import json

import numpy as np
import pytest
from scipy import stats

from semantic_id_ranking.trainer.rqvae import drift
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.drift import drift_report
from semantic_id_ranking.trainer.rqvae.drift import KnownItems
from semantic_id_ranking.trainer.rqvae.drift import UntrainedPieces
from semantic_id_ranking.trainer.rqvae.semantic_id_report import Sample
from semantic_id_ranking.trainer.rqvae.train import train
from semantic_id_ranking.trainer.rqvae.train_and_export import profile_of

DIM, TRAINING, DAYS = 16, 2000, 14
CONFIG = RqVaeConfig(preset="rq_kmeans", levels=3, codebook_size=32, kmeans_mixtures=0)


def tree(rng, count):
    """Clusters of clusters."""
    top = 2 * rng.normal(size=(12, DIM))
    below = top[:, None] + rng.normal(size=(12, 8, DIM))
    items = below[rng.integers(0, 12, count), rng.integers(0, 8, count)]
    return items + 0.3 * rng.normal(size=(count, DIM))


def heavy(rng, count):
    """The same, of lengths with a heavy tail."""
    return tree(rng, count) * (0.3 + rng.pareto(2.5, (count, 1)))


def sphere(rng, count):
    """No clusters; unit norm, with a common direction, as encoders of text give them."""
    items = rng.normal(size=(count, DIM)) * np.geomspace(2, 0.1, DIM) + 0.5
    return items / np.linalg.norm(items, axis=1, keepdims=True)


class World:
    """Items of a kind, an RQ-VAE of the first of them, and the days after."""

    def __init__(self, kind):
        rng = np.random.default_rng(3)
        items = kind(rng, TRAINING + 200 * DAYS).astype(np.float32)
        self.before, self.later = np.split(items, [TRAINING])
        held_out = np.arange(TRAINING) % 20 == 0
        self._model = train(self.before[~held_out], self.before[held_out], CONFIG).model
        self._profile = profile_of(self._model, self.before[~held_out], self.before[held_out])
        self._rotation = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0].astype(np.float32)

    def encode(self, items):
        return self._model.encode(items).numpy()

    def judge(self, new, known=None):
        sids = self.encode(new)
        sample = Sample(new, sids, self._model.decode(sids).numpy())
        none = self.encode(new[:0])
        return drift_report(
            self._profile, sample, known or KnownItems(TRAINING, 0, none, none, none, none)
        )

    def disturb(self, how, items):
        return {
            "rotated": lambda: items @ self._rotation,
            "scaled": lambda: 100 * items,
            "zero": lambda: 0 * items,
            "permuted": lambda: items[:, ::-1],
        }[how]()


@pytest.fixture(scope="module", params=[tree, heavy, sphere], ids=lambda kind: kind.__name__)
def world(request):
    return World(request.param)


@pytest.mark.parametrize("size", [0, 1, 20, 200])
def test_undisturbed_days_are_kept(world, size):
    for day in range(DAYS):
        report = world.judge(world.later[size * day : size * (day + 1)])
        assert report["verdict"] == "keep", report["reason"]
        json.dumps(report, allow_nan=False)


@pytest.mark.parametrize("size", [20, 200])
@pytest.mark.parametrize("how", ["rotated", "scaled", "zero", "permuted"])
def test_another_encoder_shows_in_new_items_on_its_first_day(world, how, size):
    for day in range(DAYS):
        report = world.judge(world.disturb(how, world.later[size * day : size * (day + 1)]))
        assert report["verdict"] == ("stop" if how in ("scaled", "zero") else "refresh")
        assert f"of {size} new items" in report["reason"]
        assert "\n" not in report["reason"]
        json.dumps(report, allow_nan=False)


@pytest.mark.parametrize("how", ["rotated", "scaled", "zero", "permuted"])
def test_another_encoder_shows_in_known_items_without_new_ones(world, how):
    known = world.before[:500]
    before, after = world.encode(known), world.encode(world.disturb(how, known))
    none = before[:0]
    report = world.judge(known[:0], KnownItems(2000, 2000, none, none, before, after))
    assert report["verdict"] == "stop"
    assert "2000 of 2000 known items changed" in report["reason"]
    expected = (before != after).any(axis=1).mean()
    assert report["known"]["changed_ids"] == pytest.approx(expected)


def test_edited_items_and_rounding_are_no_drift(world):
    before = world.encode(world.before[:1000])
    none = before[:0]
    # A twentieth edited beyond recognition.
    after = world.encode(world.later[:1000])
    report = world.judge(world.later[:20], KnownItems(1000, 50, none, none, before, after))
    assert report["verdict"] == "keep"
    # Everything computed anew, by another order of sums.
    again = world.encode(world.before[:1000] * np.float32(1 + 1e-6))
    report = world.judge(world.later[:20], KnownItems(1000, 1000, none, none, before, again))
    assert report["verdict"] == "keep"
    assert report["known"]["changed"] == 1000


def test_a_model_that_answers_otherwise_stops(world):
    same = world.encode(world.before[:1000])
    other, none = same.copy(), same[:0]
    other[:2, 2] += 1
    rounding = KnownItems(1000, 0, same, other, none, none)
    assert world.judge(world.later[:0], rounding)["verdict"] == "keep"
    other[:9, 2] += 1
    report = world.judge(world.later[:0], KnownItems(1000, 0, same, other, none, none))
    assert report["verdict"] == "stop"
    assert report["reason"].startswith("9 of 1000 items whose embedding is unchanged")


def test_pieces_without_training_are_counted_against_those_of_good_and_turing(world):
    def judge(new, items, alone):
        sids = world.encode(world.later[:100])
        found = drift._of_pieces(UntrainedPieces(new, items, alone), len(sids))
        return [verdict for verdict, _ in found]

    # From (1 + .2) / 2 of 100 on.
    assert judge(59, 1000, 200) == []
    assert judge(60, 1000, 200) == ["refresh"]


def test_a_limit_is_the_precedence_test():
    # Of 20 new items and 99 old ones, all alike, P(c new ones or more above the 90th of the old):
    # the order statistic is Beta(90, 10), so by numerical integration over it.
    levels = (np.arange(100_000) + 0.5) / 100_000
    density = stats.beta.pdf(levels, 90, 10) / 100_000
    found = drift.limit(20, 10, 90, share=0.5)
    chance = [density @ stats.binom.sf(count - 1, 20, 1 - levels) for count in (found - 1, found)]
    assert chance[1] <= 1e-5 < chance[0]
    assert drift.limit(1000, 10, 90, share=0.5) == 500
    assert drift.limit(5, 10, 90, share=0.5) > 5
