"""Head, torso and tail, in each period of a log.

Items are popular by their impressions at the start of a period: of a day, or of the evaluation
period. How many items have how many impressions then is the sum of all changes before: `changes`,
int64 [m, 3], of rows (period, impressions, items): at the end of that period, so many items more
have so many impressions.
"""

import dataclasses

import numpy as np

SLICES = (b"head", b"torso", b"tail")
#: The evaluation period of a run, which counts as one. It starts from `BEFORE`.
EVALUATION = np.iinfo(np.int64).max
#: Before everything that is joined.
BEFORE = np.iinfo(np.int64).min


def before(impressions: np.ndarray) -> np.ndarray:
    """The changes that items come with: [m] impressions, one number an item."""
    return changes(np.full(len(impressions), BEFORE), np.zeros_like(impressions), impressions)


def changes(period: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Changes of items from one number of impressions to another.

    Args:
        period: int64 [n], by the end of which it changes.
        start: int64 [n], impressions at the start of it.
        end: int64 [n], at its end.
    """
    ones = np.ones(len(period), np.int64)
    return add([np.stack([period, start, -ones], axis=1), np.stack([period, end, ones], axis=1)])


def add(parts: list[np.ndarray]) -> np.ndarray:
    """The sum of changes; items without an impression are left out."""
    rows = np.concatenate([np.zeros((0, 3), np.int64), *parts])
    rows = rows[rows[:, 1] > 0]
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    period, impressions, items = rows[order].T
    if not len(order):
        return rows
    first = np.flatnonzero(
        np.append(True, (period[1:] != period[:-1]) | (impressions[1:] != impressions[:-1]))
    )
    total = np.stack([period[first], impressions[first], np.add.reduceat(items, first)], axis=1)
    return total[total[:, 2] != 0]


@dataclasses.dataclass(frozen=True)
class Popularity:
    """How many impressions put an item into the head or the torso.

    Attributes:
        periods: int64 [p], ascending, the first of which is `BEFORE`. Bounds hold in the periods
            after that one, up to the next one and with it.
        head: int64 [p], impressions of an item of the head, at least.
        torso: int64 [p], of an item of the torso or the head.
        evaluation: The two bounds in the evaluation period.
    """

    periods: np.ndarray
    head: np.ndarray
    torso: np.ndarray
    evaluation: tuple[int, int]

    @classmethod
    def of(cls, total: np.ndarray, head_share: float, torso_share: float) -> "Popularity":
        """Of all changes.

        Args:
            total: The sum of all `changes`, as `add` makes it.
            head_share: See `bounds`.
            torso_share: See `bounds`.
        """
        values, column = np.unique(total[:, 1], return_inverse=True)
        column = column.reshape(-1)

        def after(items: np.ndarray, period: int) -> np.ndarray:
            begin, end = (
                np.searchsorted(total[:, 0], period, "left"),
                np.searchsorted(total[:, 0], period, "right"),
            )
            changed = items.copy()
            changed[column[begin:end]] += total[begin:end, 2]
            return changed

        first = items = after(np.zeros(len(values), np.int64), BEFORE)
        periods = [period for period in np.unique(total[:, 0]) if BEFORE < period < EVALUATION]
        found = [bounds(values, items, head_share, torso_share)]
        for period in periods:
            items = after(items, period)
            found.append(bounds(values, items, head_share, torso_share))
        head, torso = np.array(found, np.int64).T
        evaluation = bounds(values, after(first, EVALUATION), head_share, torso_share)
        return cls(np.array([BEFORE, *periods], np.int64), head, torso, evaluation)

    def slices(self, period: np.ndarray, impressions: np.ndarray) -> np.ndarray:
        """Slices of items, as indices into `SLICES`.

        Args:
            period: int64 [n].
            impressions: int64 [n], of the item at the start of it.
        """
        row = np.searchsorted(self.periods, period) - 1
        in_evaluation = period == EVALUATION
        head = np.where(in_evaluation, self.evaluation[0], self.head[row])
        torso = np.where(in_evaluation, self.evaluation[1], self.torso[row])
        return np.where(impressions >= head, 0, np.where(impressions >= torso, 1, 2))


def bounds(
    values: np.ndarray, items: np.ndarray, head_share: float, torso_share: float
) -> tuple[int, int]:
    """How many impressions put an item into the head, and into the torso or the head.

    An item is in the head if all items more popular than it make up less than `head_share` of the
    impressions, in the torso if they make up less than `head_share + torso_share`, else in the
    tail. So items of one count are in one slice, and items without an impression are in the tail.

    Args:
        values: int64 [m], numbers of impressions, ascending.
        items: int64 [m], items that have so many.
        head_share: Share of the impressions, 0..1.
        torso_share: A further share.
    """
    values, items = values[(items > 0) & (values > 0)], items[(items > 0) & (values > 0)]
    if not len(values):
        return 1, 1
    impressions = values * items
    share = (impressions[::-1].cumsum()[::-1] - impressions) / impressions.sum()
    head = values[np.argmax(share < head_share)]
    torso = values[np.argmax(share < head_share + torso_share)]
    return int(head), int(torso)
