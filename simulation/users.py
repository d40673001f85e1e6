"""Users of a simulation: their tastes, which drift, and what else they bring."""

import dataclasses

import numpy as np

from semantic_id_ranking.simulation import random_streams

#: Length of a vector of tastes.
FACTORS = 8
#: Standard deviation of the angle that tastes turn by in a day; radians.
DRIFT = 0.02
LEVEL = 0.6
#: Standard deviation of the logarithm of how often users come.
ACTIVITY = 1.0


@dataclasses.dataclass(frozen=True)
class Users:
    """The traits of u users.

    Attributes:
        start: float64 [u, FACTORS], tastes on day 0.
        turned: float64 [u, FACTORS], tastes after a quarter turn.
        drift: float64 [u], the angle that tastes turn by in a day; radians.
        level: float64 [u], what a user adds to the logit of every click.
        share: float64 [u], share of the impressions that are a user's; sums to 1.
    """

    start: np.ndarray
    turned: np.ndarray
    drift: np.ndarray
    level: np.ndarray
    share: np.ndarray

    @classmethod
    def draw(cls, seed: int, count: int) -> "Users":
        """Draws users."""
        rng = random_streams.stream(seed, random_streams.USERS)
        activity = np.exp(ACTIVITY * rng.normal(size=count))
        return cls(
            start=rng.normal(size=(count, FACTORS)),
            turned=rng.normal(size=(count, FACTORS)),
            drift=DRIFT * rng.normal(size=count),
            level=LEVEL * rng.normal(size=count),
            share=activity / activity.sum(),
        )

    def tastes(self, day: int) -> np.ndarray:
        """Tastes on a day, float64 [u, FACTORS]: `start` turned towards `turned`."""
        angle = (self.drift * day)[:, None]
        return np.cos(angle) * self.start + np.sin(angle) * self.turned
