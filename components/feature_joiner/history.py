"""Events of users before each impression: pure functions over arrays."""

import dataclasses

import numpy as np

from semantic_id_ranking.components.feature_joiner import counting


@dataclasses.dataclass(frozen=True)
class Events:
    """Events of U users, each user's together, the users one after the other.

    Attributes:
        lengths: int64 [U], events of each user.
        item: int64 [E], rows of the item table.
        time: int64 [E], microseconds since 1970.
        labels: float32 [E, tasks], NaN where there is none.
    """

    lengths: np.ndarray
    item: np.ndarray
    time: np.ndarray
    labels: np.ndarray

    def take(self, lengths: np.ndarray, rows: np.ndarray) -> "Events":
        """Events by their indices, of users with so many each."""
        return Events(lengths, self.item[rows], self.time[rows], self.labels[rows])


def append(earlier: Events, user: np.ndarray, later: Events) -> Events:
    """The events of all users, earlier ones first.

    Args:
        earlier: Of U users, oldest first.
        user: int64 [E], users of the later events, ascending.
        later: E events, each user's oldest first; its `lengths` is not read.

    Returns:
        Events of U users, oldest first.
    """
    more = np.bincount(user, minlength=len(earlier.lengths))
    lengths = earlier.lengths + more
    rows = np.empty(lengths.sum(), np.int64)
    # Before an earlier event lie the later events of earlier users, and the other way round.
    before = np.repeat(np.cumsum(more) - more, earlier.lengths)
    rows[np.arange(len(before)) + before] = np.arange(len(before))
    before = np.cumsum(earlier.lengths)[user]
    rows[np.arange(len(user)) + before] = len(earlier.item) + np.arange(len(user))
    both = Events(
        lengths,
        np.concatenate([earlier.item, later.item]),
        np.concatenate([earlier.time, later.time]),
        np.concatenate([earlier.labels, later.labels]),
    )
    return both.take(lengths, rows)


def recent(first: np.ndarray, end: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The last rows of ranges, backwards.

    >>> recent(np.array([0, 3]), np.array([3, 4]), 2)
    (array([0, 2, 3]), array([2, 1, 3]))

    Args:
        first: [n], first row of each range.
        end: [n], the row after its last one.
        length: Rows of a range, at most (H).

    Returns:
        Offsets [n + 1] and rows: of range q they are rows[offsets[q]:offsets[q + 1]], the last one
        first.
    """
    lengths = np.minimum(end - first, length)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    return offsets, np.repeat(end, lengths) - 1 - within


def known_before(
    earlier: np.ndarray, user: np.ndarray, moment: np.ndarray, makes_history: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The events of `append` that lie before impressions.

    Args:
        earlier: int64 [U], earlier events of each user.
        user: int64 [n], users of impressions, ascending.
        moment: int64 [n], ascending for each user; an impression knows of those at an earlier one.
        makes_history: bool [n], which of them are the later events of `append`.

    Returns:
        First event and the one after the last one, [n] each.
    """
    made = np.append(0, np.cumsum(makes_history))
    of_user = made[counting.run_starts(user)]
    first = (np.cumsum(earlier) - earlier)[user] + of_user
    end = first + earlier[user] + made[counting.run_starts(user, moment)] - of_user
    return first, end
