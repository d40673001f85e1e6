"""Items of a simulation, in the order in which they appear."""

import dataclasses

import numpy as np

from semantic_id_ranking.simulation import random_streams
from semantic_id_ranking.simulation.simulation_config import SimulationConfig
from semantic_id_ranking.simulation.topic_tree import LEAVES

#: 2024-01-01, UTC; microseconds since 1970.
START = 1_704_067_200_000_000
DAY = 86_400_000_000
#: Days before the start over which the items of the start appeared.
PAST = 365
#: Items drawn at once. An item's traits depend on its number alone, not on how many there are.
BLOCK = 8192
QUALITY = 0.6
#: Standard deviation of the logarithm of the popularity, and the part of it that is quality.
POPULARITY, QUALITY_IN_POPULARITY = 1.0, 0.5
#: How much more often an item is presented on its first two days.
NEW_BOOST = 5.0


@dataclasses.dataclass(frozen=True)
class Items:
    """The traits of N items, oldest first.

    Attributes:
        leaf: int64 [N], the leaf of the tree of topics.
        quality: float64 [N].
        popularity: float64 [N], how often an item is presented, relative to others.
        created: int64 [N], ascending; microseconds since 1970.
    """

    leaf: np.ndarray
    quality: np.ndarray
    popularity: np.ndarray
    created: np.ndarray

    @classmethod
    def draw(cls, config: SimulationConfig) -> "Items":
        """Draws the items that have appeared by the end of the last day."""
        count = config.items + config.end * config.new_items
        parts = []
        for number in range(-(-count // BLOCK)):
            rng = random_streams.stream(config.seed, random_streams.ITEMS, number)
            leaf = rng.integers(LEAVES, size=BLOCK)
            quality, other, when = rng.normal(size=BLOCK), rng.normal(size=BLOCK), rng.random(BLOCK)
            parts.append((leaf, quality, other, when))
        leaf, quality, other, when = (
            np.concatenate(column)[:count] for column in zip(*parts, strict=True)
        )
        rest = np.sqrt(1 - QUALITY_IN_POPULARITY**2)
        return cls(
            leaf=leaf,
            quality=QUALITY * quality,
            popularity=np.exp(POPULARITY * (QUALITY_IN_POPULARITY * quality + rest * other)),
            created=_created(config, when),
        )

    def is_new(self, day: int) -> np.ndarray:
        """Bool [N], whether an item appears on a day or has appeared on the day before."""
        return self.created >= START + (day - 1) * DAY

    def weights(self, day: int) -> np.ndarray:
        """float64 [N], how often items are presented on a day, once they have appeared."""
        return self.popularity * np.where(self.is_new(day), NEW_BOOST, 1.0)

    def present(self, times: np.ndarray) -> np.ndarray:
        """int64, how many items have appeared at each time; they are the first ones."""
        return np.searchsorted(self.created, times, side="right")


def _created(config: SimulationConfig, when: np.ndarray) -> np.ndarray:
    """Times in the order of the items: at random within even steps."""
    number = np.arange(len(when)) + when
    before = START + (number / config.items - 1) * PAST * DAY
    # Without new items there are no later ones.
    since = START + (number - config.items) / max(config.new_items, 1) * DAY
    return np.where(number < config.items, before, since).astype(np.int64)
