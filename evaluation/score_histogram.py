"""Histogram of scores by class, which AUC, placements and calibration are made from."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

#: Occupied bins, at most. With fewer distinct scores each has a bin of its own.
MAX_BINS = 1 << 16
#: Bins of equal mass of a calibration curve.
CALIBRATION_BINS = 20


@dataclasses.dataclass(frozen=True)
class ScoreHistogram:
    """Numbers of positives and negatives by score.

    A bin is the float32 scores whose bits agree but for the last `shift`. `shift` is the least that
    leaves `MAX_BINS` bins occupied at most, so a merge of histograms does not depend on its order,
    and everything is exact as long as there are no more distinct scores than that. Within a bin
    scores count as equal: with 65,536 bins that moves an AUC by less than 1e-6.

    Attributes:
        shift: Bits that a bin leaves open, 0 .. 31.
        bins: uint32 [b], ascending in the score.
        positives: int64 [b].
        negatives: int64 [b].
        scores: float64 [b], the sum of the scores.
    """

    shift: int
    bins: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray
    scores: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, labels: np.ndarray) -> "ScoreHistogram":
        """Counts scores.

        Args:
            scores: float32 [n], finite.
            labels: [n] 0 or 1.
        """
        order = np.argsort(scores, kind="stable")
        scores, labels = scores[order], labels[order]
        keys = _ordered_bits(scores)
        starts = _starts(keys)
        if not len(starts):
            none = np.empty(0, np.int64)
            return cls(0, keys, none, none, none.astype(np.float64))
        count = np.diff(np.append(starts, len(keys)))
        positives = np.add.reduceat((labels > 0).astype(np.int64), starts)
        sums = np.add.reduceat(scores.astype(np.float64), starts)
        return cls(0, keys[starts], positives, count - positives, sums)._limited()

    @classmethod
    def merge(cls, parts: Sequence["ScoreHistogram"]) -> "ScoreHistogram":
        """The histogram of all their scores."""
        shift = max(part.shift for part in parts)
        bins = np.concatenate([part.bins >> np.uint32(shift - part.shift) for part in parts])
        order = np.argsort(bins, kind="stable")
        merged = cls(
            shift,
            bins[order],
            *(
                np.concatenate([getattr(part, name) for part in parts])[order]
                for name in ("positives", "negatives", "scores")
            ),
        )
        return merged._added_up()._limited()

    @property
    def examples(self) -> int:
        """Scores counted (n)."""
        return int(self.positives.sum() + self.negatives.sum())

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve; None where only one class is there."""
        positives, negatives = int(self.positives.sum()), int(self.negatives.sum())
        if not positives or not negatives:
            return None
        below = np.cumsum(self.negatives) - self.negatives
        won = np.dot(self.positives.astype(np.float64), below + self.negatives / 2)
        return float(won / positives / negatives)

    def placements(self, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Each example's share of comparisons with the other class that come out right.

        Args:
            scores: float32 [n], of those that were counted.
            labels: [n] 0 or 1.

        Returns:
            float64 [n]; the mean over the positives is the AUC, and so is that over the negatives.
            NaN where the other class is empty.

        Reference: DeLong et al., "Comparing the Areas under Two or More Correlated Receiver
            Operating Characteristic Curves: A Nonparametric Approach", Biometrics 1988.
        """
        row = np.searchsorted(self.bins, _ordered_bits(scores) >> np.uint32(self.shift))
        below = np.cumsum(self.negatives) - self.negatives / 2
        above = self.positives.sum() - np.cumsum(self.positives) + self.positives / 2
        with np.errstate(invalid="ignore"):
            of_positive = below / self.negatives.sum()
            of_negative = above / self.positives.sum()
        return np.where(labels > 0, of_positive[row], of_negative[row])

    def calibration(self, bins: int = CALIBRATION_BINS) -> dict[str, Any]:
        """How far predicted probabilities are from the shares of positives.

        Args:
            bins: Bins of equal mass; equal scores stay in one bin, so some may be left out.

        Returns:
            `ece`: mean over the examples of |mean prediction - mean label| of their bin, and
            `curve`: `examples`, `mean_prediction` and `mean_label` of each bin, ascending.

        Reference: Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning",
            AAAI 2015; with bins of equal mass, Nixon et al., "Measuring Calibration in Deep
            Learning" (arXiv 1904.01685).
        """
        count = self.positives + self.negatives
        if not count.sum():
            return {"ece": None, "curve": []}
        middle = np.cumsum(count) - count / 2
        starts = _starts(np.floor(middle * bins / count.sum()).astype(np.int64))
        count, positives, scores = (
            np.add.reduceat(values, starts) for values in (count, self.positives, self.scores)
        )
        gaps = np.abs(scores - positives)
        return {
            "ece": float(gaps.sum() / count.sum()),
            "curve": [
                {"examples": int(n), "mean_prediction": float(s / n), "mean_label": float(p / n)}
                for n, s, p in zip(count, scores, positives, strict=True)
            ],
        }

    def _added_up(self) -> "ScoreHistogram":
        """The same with each bin once."""
        starts = _starts(self.bins)
        if len(starts) == len(self.bins):
            return self
        sums = (
            np.add.reduceat(values, starts)
            for values in (self.positives, self.negatives, self.scores)
        )
        return ScoreHistogram(self.shift, self.bins[starts], *sums)

    def _limited(self) -> "ScoreHistogram":
        """The same in as many bins as there may be."""
        histogram = self
        while len(histogram.bins) > MAX_BINS:
            halved = dataclasses.replace(
                histogram, shift=histogram.shift + 1, bins=histogram.bins >> np.uint32(1)
            )
            histogram = halved._added_up()
        return histogram


def _starts(values: np.ndarray) -> np.ndarray:
    """Indices at which another value begins; the values are sorted."""
    if not len(values):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.append(True, values[1:] != values[:-1]))


def _ordered_bits(scores: np.ndarray) -> np.ndarray:
    """uint32 numbers that sort as the float32 scores do; both zeros have one."""
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)
    return np.where(bits >> np.uint32(31), ~bits, bits | np.uint32(1 << 31))
