"""A simulated world: exposure, tastes, quality, and labels that follow the truth."""

import dataclasses
import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.simulation import world as world_lib
from semantic_id_ranking.simulation.items import DAY
from semantic_id_ranking.simulation.items import START
from semantic_id_ranking.simulation.simulation_config import SimulationConfig
from semantic_id_ranking.simulation.world import World

CONFIG = SimulationConfig(items=300, users=50, days=4, impressions=5000, new_items=30)


@pytest.fixture(scope="module")
def world():
    return World(CONFIG)


@pytest.fixture(scope="module")
def days(world):
    return [part for number in range(CONFIG.days) for part in world.day(number)]


def joined(days, column):
    return np.concatenate([column(day) for day in days])


def test_items_come_in_time_and_are_presented_after_it(world, days):
    created = world.items.created
    assert (np.diff(created) >= 0).all()
    day = (created - START) // DAY
    assert np.bincount(day[day >= 0]).tolist() == [30, 30, 30, 30]
    assert (day < 0).sum() == 300
    for number, one in enumerate(days):
        assert (created[one.item] <= one.time).all()
        assert (np.diff(one.time) >= 0).all()
        assert ((one.time - START) // DAY == number).all()
        assert (one.hour == (one.time - START) % DAY // 3_600_000_000).all()
    assert len(np.unique(days[3].item[days[3].item >= 300])) > 60


def test_the_truth_is_that_of_the_formula(world, days):
    for number, row in ((0, 0), (1, 17), (3, 4999)):
        day = days[number]
        user, item = day.user[row], day.item[row]
        leaf, angle = world.items.leaf[item], world.users.drift[user] * number
        taste = sum(
            (math.cos(angle) * begin + math.sin(angle) * later) * weight
            for begin, later, weight in zip(
                world.users.start[user],
                world.users.turned[user],
                world.topic_tastes[leaf],
                strict=True,
            )
        )
        logit = -1.5 + taste + world.topic_appeal[leaf] + world.items.quality[item]
        logit += world.users.level[user]
        logit += 0.3 * math.cos(2 * math.pi * (day.hour[row] - 20) / 24)
        assert day.truth.click[row] == pytest.approx(1 / (1 + math.exp(-logit)))


def test_no_score_is_above_the_truth(world, days):
    click = joined(days, lambda day: day.labels["click"])
    item, user = joined(days, lambda day: day.item), joined(days, lambda day: day.user)
    best = roc_auc_score(click, joined(days, lambda day: day.truth.click))
    logit = joined(days, lambda day: np.log(day.truth.click / (1 - day.truth.click)))
    quality, level = world.items.quality[item], world.users.level[user]
    # Without what only memory can learn of an item, without the user's level, and with noise.
    noise = np.random.default_rng(0).normal(size=len(click))
    for score in (quality, level, logit - quality, logit - level, logit + 0.5 * noise):
        assert roc_auc_score(click, score) < best - 0.005


def test_labels_are_calibrated_to_the_truth(days):
    for label in ("click", "like", "watch_seconds"):
        expected = joined(days, lambda day, name=label: day.truth.expected[name])
        labels = joined(days, lambda day, name=label: day.labels[name]).astype(float)
        for part in np.array_split(np.argsort(expected), 10):
            error = labels[part].std() / math.sqrt(len(part))
            assert abs(labels[part].mean() - expected[part].mean()) < 4 * error


def test_exposure_goes_by_popularity_and_a_little_by_taste(world, days):
    counts = np.bincount(days[0].item, minlength=len(world.items.leaf))[:300]
    assert np.corrcoef(np.log(world.items.popularity[:300]), np.log(counts + 1))[0, 1] > 0.6
    tastes = world.users.tastes(0) @ world.topic_tastes.T
    seen = tastes[days[0].user, world.items.leaf[days[0].item]].mean()
    by_chance = tastes[days[0].user, world.items.leaf[np.roll(days[0].item, 1)]].mean()
    assert by_chance + 0.2 < seen < by_chance + 1.0


def test_new_items_have_many_impressions_of_both_classes(world, days):
    of_new = [day.labels["click"][world.items.is_new(n)[day.item]] for n, day in enumerate(days)]
    clicks = np.concatenate(of_new)
    assert 0.2 < clicks.mean() < 0.5
    # 60 of 420 items, five times as often as others, and at the start 0.
    assert 0.15 < len(of_new[3]) / CONFIG.impressions < 0.55


def test_embeddings_tell_the_topic_and_nothing_of_the_quality(world):
    embeddings, leaf = world.embeddings(0), world.items.leaf
    assert embeddings.shape == (420, 32)
    assert embeddings.dtype == np.float32
    gaps = ((embeddings[:, None] - embeddings[None]) ** 2).sum(axis=2)
    np.fill_diagonal(gaps, np.inf)
    # Nearest neighbours are of one leaf where it has another item.
    shared = np.bincount(leaf)[leaf] > 1
    nearest = leaf[gaps.argmin(axis=1)]
    assert (nearest == leaf)[shared].mean() > 0.9
    residual = embeddings - world.topic_content[leaf]
    assert residual.std() == pytest.approx(0.3, rel=0.05)
    assert np.abs(residual.T @ world.items.quality / 420).max() < 5 * 0.3 * 0.6 / math.sqrt(420)


def test_more_days_leave_the_earlier_ones_as_they_are(world, days):
    longer = World(dataclasses.replace(CONFIG, days=9))
    assert (longer.items.created[:420] == world.items.created).all()
    assert (longer.embeddings(0)[:420] == world.embeddings(0)).all()
    (again,) = longer.day(3)
    assert (again.item == days[3].item).all()
    assert (again.labels["watch_seconds"] == days[3].labels["watch_seconds"]).all()


def test_another_seed_is_another_world(days):
    other = next(World(dataclasses.replace(CONFIG, seed=1)).day(0))
    assert (other.item != days[0].item).mean() > 0.9


def test_items_may_stay_the_same():
    world = World(SimulationConfig(items=1, users=1, days=2, impressions=3, new_items=0))
    assert next(world.day(1)).item.tolist() == [0, 0, 0]


def test_a_long_day_comes_in_parts_of_equal_length(monkeypatch):
    monkeypatch.setattr(world_lib, "PART", 1000)
    parts = list(World(dataclasses.replace(CONFIG, impressions=2999)).day(1))
    assert [len(part.item) for part in parts] == [999, 1000, 1000]
    for number, part in enumerate(parts):
        # Eight hours each.
        assert set(part.hour) == set(range(8 * number, 8 * number + 8))
        assert (np.diff(part.time) >= 0).all()
    assert (parts[0].item != parts[1].item[:999]).mean() > 0.9


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"days": 0}, r"days: 0 is not allowed"),
        ({"items": 0}, r"items: 0 is not allowed"),
        ({"seed": -1}, r"seed: -1 is not allowed"),
        ({"first_day": 499, "days": 2}, r"add up to 501; at most 500 days"),
    ],
)
def test_sizes_that_are_refused(values, said):
    with pytest.raises(InputError, match=said):
        SimulationConfig(**values)
