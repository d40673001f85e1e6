"""Metrics within groups of impressions: AUC within users, DCG within users' days."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Ranking:
    """Impressions of groups, each group sorted by descending score.

    Attributes:
        order: int [n], the impressions in that order.
        first: int [n], index in the order at which an impression's group begins.
        end: int [n], index after the group's last.
        tie_first: int [n], index of the first impression of the group with the same score.
        tie_end: int [n], index after the last of these.
    """

    order: np.ndarray
    first: np.ndarray
    end: np.ndarray
    tie_first: np.ndarray
    tie_end: np.ndarray

    @classmethod
    def of(cls, group: np.ndarray, scores: np.ndarray) -> "Ranking":
        """Sorts.

        Args:
            group: [n], of any type that sorts.
            scores: [n], finite.
        """
        return cls._bounded(np.lexsort((-scores, group)), group, scores)

    def only(self, mask: np.ndarray, group: np.ndarray, scores: np.ndarray) -> "Ranking":
        """The ranking of some of the impressions, without sorting anew.

        Args:
            mask: bool [n].
            group: The same as before.
            scores: The same as before.

        Returns:
            `order` counts all impressions, as before.
        """
        return self._bounded(self.order[mask[self.order]], group, scores)

    @classmethod
    def _bounded(cls, order: np.ndarray, group: np.ndarray, scores: np.ndarray) -> "Ranking":
        group, scores = group[order], scores[order]
        new_group = _changes(group)
        new_tie = new_group | _changes(scores)
        return cls(order, *_runs(new_group), *_runs(new_tie))


def user_auc_terms(ranking: Ranking, labels: np.ndarray) -> np.ndarray:
    """Terms of GAUC: the mean of users' AUCs, weighted by their impressions.

    The mean of the terms that are numbers is GAUC. A term is the AUC of its user and what the
    impression moves it by if it counts a little more, so the sum of an item's terms tells how much
    GAUC depends on the item; a user's terms have the user's AUC as their mean.

    Args:
        ranking: The impressions by user.
        labels: [n] 0 or 1, of all impressions.

    Returns:
        float64, one an impression of `ranking.order`; NaN where the user has one class only.

    Reference: Zhou et al., "Deep Interest Network" (arXiv 1706.06978).
    """
    positive = labels[ranking.order] > 0
    positives_before = _before(positive)
    negatives_before = np.arange(len(positive) + 1) - positives_before
    first, end = ranking.first, ranking.end
    positives = positives_before[end] - positives_before[first]
    negatives = negatives_before[end] - negatives_before[first]
    tied_negatives = negatives_before[ranking.tie_end] - negatives_before[ranking.tie_first]
    tied_positives = positives_before[ranking.tie_end] - positives_before[ranking.tie_first]
    lower_negatives = negatives_before[end] - negatives_before[ranking.tie_end]
    higher_positives = positives_before[ranking.tie_first] - positives_before[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        placement = np.where(
            positive,
            (lower_negatives + tied_negatives / 2) / negatives,
            (higher_positives + tied_positives / 2) / positives,
        )
        sums = _group_sums(np.where(positive, placement, 0), first)
        auc = np.where((positives > 0) & (negatives > 0), sums / positives, np.nan)
        moves = (placement - auc) * (end - first) / np.where(positive, positives, negatives)
    return auc + moves


def ndcg_terms(ranking: Ranking, labels: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Terms of nDCG: the mean over the groups that have a positive, with gain 1 for a positive.

    The order of equal scores is random: what counts is the expectation. A group's nDCG is spread
    over its positives, each by what it adds.

    Args:
        ranking: The impressions by group, such as a user's day.
        labels: [n] 0 or 1, of all impressions.
        depth: First positions that count (k of nDCG@k).

    Returns:
        Two float64 arrays, one number an impression of `ranking.order`: what it adds, and its share
        of a group, both 0 for a negative. The sum of the first over that of the second is nDCG.

    Reference: Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", ACM
        TOIS 2002; ties: McSherry and Najork, "Computing Information Retrieval Performance Measures
        Efficiently in the Presence of Tied Scores", ECIR 2008.
    """
    positive = labels[ranking.order] > 0
    discounts = np.append(0.0, np.cumsum(1 / np.log2(np.arange(2, depth + 2))))
    positives_before = _before(positive)
    positives = positives_before[ranking.end] - positives_before[ranking.first]
    upper = discounts[np.minimum(ranking.tie_first - ranking.first, depth)]
    lower = discounts[np.minimum(ranking.tie_end - ranking.first, depth)]
    gain = (lower - upper) / (ranking.tie_end - ranking.tie_first)
    ideal = discounts[np.minimum(positives, depth)]
    terms, shares = np.zeros(len(positive)), np.zeros(len(positive))
    terms[positive] = gain[positive] / ideal[positive]
    shares[positive] = 1 / positives[positive]
    return terms, shares


def _changes(values: np.ndarray) -> np.ndarray:
    """Bool [n]: whether a value differs from the one before; True for the first."""
    changes = np.ones(len(values), bool)
    changes[1:] = values[1:] != values[:-1]
    return changes


def _runs(begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each index, where its run begins and where it ends."""
    starts = np.flatnonzero(begins)
    run = np.cumsum(begins) - 1
    return starts[run], np.append(starts[1:], len(begins))[run]


def _group_sums(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Of each index, the sum of the values of its group."""
    starts = np.flatnonzero(first == np.arange(len(first)))
    if not len(starts):
        return values
    return np.repeat(np.add.reduceat(values, starts), np.diff(np.append(starts, len(first))))


def _before(values: np.ndarray) -> np.ndarray:
    """[n + 1]: the sum of the values before each index."""
    return np.append(0, np.cumsum(values))
