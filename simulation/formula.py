"""Formula of the labels: what users do, as probabilities and expected seconds."""

import dataclasses

import numpy as np

INTERCEPT = -1.5
#: What the hour of the day adds at most, in the evening at `EVENING_HOUR`.
EVENING, EVENING_HOUR = 0.3, 20
#: A click that becomes a like.
LIKE_INTERCEPT, LIKE_QUALITY, LIKE_TASTE = -1.0, 1.0, 0.5
#: Mean seconds that a click of taste 0 is watched; a taste of 1 multiplies them by e ** 0.5.
WATCH_SECONDS, WATCH_TASTE = 60.0, 0.5


@dataclasses.dataclass(frozen=True)
class Truth:
    """What is true of n impressions, before any label is drawn.

    Attributes:
        click: float64 [n], probability of a click.
        like_of_click: float64 [n], probability that a click becomes a like.
        watch_of_click: float64 [n], mean seconds that a click is watched.
    """

    click: np.ndarray
    like_of_click: np.ndarray
    watch_of_click: np.ndarray

    @property
    def expected(self) -> dict[str, np.ndarray]:
        """Column of a label -> float64 [n], what is expected of it: the best prediction."""
        return {
            "click": self.click,
            "like": self.click * self.like_of_click,
            "watch_seconds": self.click * self.watch_of_click,
        }

    def draw(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draws labels.

        Returns:
            Column -> [n]: `click` and `like`, int8, 0 or 1; `watch_seconds`, float32. Without a
            click all are 0.
        """
        click = rng.random(len(self.click)) < self.click
        like = click & (rng.random(len(click)) < self.like_of_click)
        seconds = self.watch_of_click * rng.gamma(2.0, 0.5, len(click))
        return {
            "click": click.astype(np.int8),
            "like": like.astype(np.int8),
            "watch_seconds": np.where(click, seconds, 0).astype(np.float32),
        }


def truth(
    taste: np.ndarray, appeal: np.ndarray, quality: np.ndarray, level: np.ndarray, hour: np.ndarray
) -> Truth:
    """What is true of impressions.

    With evening = 0.3 cos(2 pi (hour - 20) / 24):

    - logit of a click: -1.5 + taste + appeal + quality + level + evening;
    - logit of a like, of a click: -1 + quality + 0.5 taste;
    - mean seconds watched, of a click: 60 exp(0.5 taste).

    Args:
        taste: [n], of the user, for the item's topic.
        appeal: [n], of the item's topic, to everybody.
        quality: [n], of the item alone; nothing in its content tells it.
        level: [n], of the user alone.
        hour: [n], 0 .. 23.

    Example:
        >>> zero = np.zeros(1)
        >>> of_one = truth(zero + 1.2, appeal=zero, quality=zero, level=zero, hour=zero + 20)
        >>> of_one.click  # The logit is -1.5 + 1.2 + 0.3.
        array([0.5])
    """
    evening = EVENING * np.cos(2 * np.pi * (hour - EVENING_HOUR) / 24)
    return Truth(
        click=sigmoid(INTERCEPT + taste + appeal + quality + level + evening),
        like_of_click=sigmoid(LIKE_INTERCEPT + LIKE_QUALITY * quality + LIKE_TASTE * taste),
        watch_of_click=WATCH_SECONDS * np.exp(WATCH_TASTE * taste),
    )


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits."""
    return 1 / (1 + np.exp(-logits))
