"""World of a simulation: topics, items, users, and days of impressions."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from semantic_id_ranking.simulation import random_streams
from semantic_id_ranking.simulation.formula import Truth
from semantic_id_ranking.simulation.formula import truth
from semantic_id_ranking.simulation.items import BLOCK
from semantic_id_ranking.simulation.items import DAY
from semantic_id_ranking.simulation.items import Items
from semantic_id_ranking.simulation.items import START
from semantic_id_ranking.simulation.simulation_config import SimulationConfig
from semantic_id_ranking.simulation.topic_tree import path_sums
from semantic_id_ranking.simulation.users import FACTORS
from semantic_id_ranking.simulation.users import Users

#: Standard deviations of the topics' parts at each level: of tastes, of appeal, of embeddings.
TASTE_SCALES = (0.9, 0.5, 0.4)
APPEAL_SCALES = (0.25, 0.15, 0.1)
CONTENT_SCALES = (1.0, 0.6, 0.4)
#: Standard deviation of an embedding's entry around that of its topic.
CONTENT_NOISE = 0.3
#: Items that an impression is chosen from, and how far the user's taste decides.
CHOICES, TASTE_IN_CHOICE = 4, 0.5
#: Impressions that are drawn at once, at most.
PART = 1 << 16


@dataclasses.dataclass(frozen=True)
class Impressions:
    """n impressions, in the order of time.

    Attributes:
        user: int64 [n], numbers of users.
        item: int64 [n], numbers of items, all of which have appeared.
        time: int64 [n], microseconds since 1970.
        hour: int64 [n], 0 .. 23.
        truth: What is true of each.
        labels: Column -> [n], drawn from the truth.
    """

    user: np.ndarray
    item: np.ndarray
    time: np.ndarray
    hour: np.ndarray
    truth: Truth
    labels: dict[str, np.ndarray]


class World:
    """Topics, items and users that a seed draws.

    Args:
        config: Sizes and seed.

    Attributes:
        items: The items that have appeared by the end.
        users: The users.
        topic_tastes: float64 [LEAVES, FACTORS]; the product with a user's tastes is the taste of
            the formula.
        topic_appeal: float64 [LEAVES].
        topic_content: float64 [LEAVES, D].
    """

    def __init__(self, config: SimulationConfig):
        self._config = config
        rng = random_streams.stream(config.seed, random_streams.TOPICS)
        self.topic_tastes = path_sums(rng, TASTE_SCALES, FACTORS) / np.sqrt(FACTORS)
        self.topic_appeal = path_sums(rng, APPEAL_SCALES, 1)[:, 0]
        self.topic_content = path_sums(rng, CONTENT_SCALES, config.dimensions)
        self.items = Items.draw(config)
        self.users = Users.draw(config.seed, config.users)

    def embeddings(self, block: int) -> np.ndarray:
        """float32 [up to BLOCK, D], those of the items from block * BLOCK on."""
        rng = random_streams.stream(self._config.seed, random_streams.EMBEDDINGS, block)
        noise = CONTENT_NOISE * rng.normal(size=(BLOCK, self._config.dimensions))
        leaf = self.items.leaf[block * BLOCK : (block + 1) * BLOCK]
        return (self.topic_content[leaf] + noise[: len(leaf)]).astype(np.float32)

    def day(self, number: int) -> Iterator[Impressions]:
        """Draws the impressions of a day.

        Args:
            number: Counted from 2024-01-01.

        Yields:
            Those of each part of the day, in the order of time: as many parts as leave
            `PART` impressions in each at most.
        """
        rng = random_streams.stream(self._config.seed, random_streams.DAYS, number)
        cumulative = np.cumsum(self.items.weights(number))
        tastes = self.users.tastes(number)
        parts = -(-self._config.impressions // PART)
        counts = np.diff(self._config.impressions * np.arange(parts + 1) // parts)
        bounds = START + number * DAY + DAY * np.arange(parts + 1) // parts
        for count, begin, end in zip(counts, bounds[:-1], bounds[1:], strict=True):
            time = np.sort(rng.integers(begin, end, size=count))
            yield self._impressions(rng, tastes, cumulative, time)

    def _impressions(
        self,
        rng: np.random.Generator,
        tastes: np.ndarray,
        cumulative: np.ndarray,
        time: np.ndarray,
    ) -> Impressions:
        """Draws the impressions at some times, by users' tastes and items' cumulative weights."""
        count = len(time)
        user = rng.choice(self._config.users, count, p=self.users.share)
        choices = _draw(rng, cumulative, self.items.present(time))
        topics = self.topic_tastes[self.items.leaf[choices]]
        likings = np.einsum("nf,nkf->nk", tastes[user], topics)
        # With such noise a choice has the probability softmax(TASTE_IN_CHOICE * likings).
        scores = TASTE_IN_CHOICE * likings + rng.gumbel(size=likings.shape)
        chosen = np.arange(count), scores.argmax(axis=1)
        item, taste = choices[chosen], likings[chosen]
        hour = (time - START) // (DAY // 24) % 24
        found = truth(
            taste=taste,
            appeal=self.topic_appeal[self.items.leaf[item]],
            quality=self.items.quality[item],
            level=self.users.level[user],
            hour=hour,
        )
        return Impressions(user, item, time, hour, found, found.draw(rng))


def _draw(rng: np.random.Generator, cumulative: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Draws from the first items by weight.

    Args:
        rng: What draws.
        cumulative: float64 [N], sums of the items' weights up to each.
        present: int64 [n], how many items there are to draw from.

    Returns:
        int64 [n, CHOICES].
    """
    drawn = rng.random((len(present), CHOICES)) * cumulative[present - 1, None]
    # Rounded up, a number may be the sum of all weights.
    return np.minimum(np.searchsorted(cumulative, drawn, side="right"), present[:, None] - 1)
