"""Counters of items, before each impression and at the end: pure functions over arrays."""

import dataclasses
import itertools

import numpy as np

from semantic_id_ranking.components.feature_joiner import counting
from semantic_id_ranking.components.feature_joiner import popularity
from semantic_id_ranking.components.feature_joiner.days import Days


@dataclasses.dataclass(frozen=True)
class ItemCounters:
    """Counters of m items at a moment.

    Attributes:
        item: int64 [m], rows of the item table, ascending.
        totals: int64 [m, C], of all time: the block of `CounterLayout`.
        recent: float64 [m, C], the same, faded: U of `Days` in the item's last active day.
        day: int64 [m], that day.
    """

    item: np.ndarray
    totals: np.ndarray
    recent: np.ndarray
    day: np.ndarray

    @classmethod
    def none(cls, width: int) -> "ItemCounters":
        """Those of no item; `width` is C."""
        empty = np.zeros(0, np.int64)
        return cls(empty, np.zeros((0, width), np.int64), np.zeros((0, width)), empty)

    @classmethod
    def concatenate(cls, parts: list["ItemCounters"]) -> "ItemCounters":
        """One of several, of different items in any order."""
        names = [field.name for field in dataclasses.fields(cls)]
        whole = cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
        return whole.take(np.argsort(whole.item))

    def take(self, rows: np.ndarray) -> "ItemCounters":
        """Some of them: indices or bool."""
        return ItemCounters(self.item[rows], self.totals[rows], self.recent[rows], self.day[rows])


@dataclasses.dataclass(frozen=True)
class CountedItems:
    """What counting the impressions of some items came to.

    Attributes:
        totals: int64 [n, C], counters of each impression's item before it.
        recent: float64 [n, C], the same, faded.
        at_start: int64 [n, C], counters of the item at the start of the impression's day; of the
            evaluation period, for an impression of one.
        after: Counters of all these items after the last impression.
        changes: Of the popularity; see `popularity`.
    """

    totals: np.ndarray
    recent: np.ndarray
    at_start: np.ndarray
    after: ItemCounters
    changes: np.ndarray


def count_items(
    item: np.ndarray,
    time: np.ndarray,
    flags: np.ndarray,
    evaluation: np.ndarray | None,
    before: ItemCounters,
    days: Days,
    by_event: bool,
) -> CountedItems:
    """Counts the impressions of some items.

    Args:
        item: int64 [n], rows of the item table.
        time: int64 [n], microseconds since 1970.
        flags: int64 [n, C], 1 where an impression adds to a counter: the block of `CounterLayout`.
        evaluation: bool [n], impressions of an evaluation period, which counts as one day here;
            None: there is no such period.
        before: Counters of these items before all impressions.
        days: The days.
        by_event: Whether an impression sees what is strictly before it; else, what is before its
            day.
    """
    order = np.lexsort((time, item))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    item, time, flags = item[order], time[order], flags[order]
    day = days.of(time)
    of_item, of_day = counting.run_starts(item), counting.run_starts(item, day)
    keys, key = np.unique(item, return_inverse=True)
    key = key.reshape(-1)
    total, recent, last = _at_first(keys, before)

    at_day = total[key] + counting.sums_before(flags, of_item, of_day)
    first = np.unique(of_day)
    weighted = flags * days.weights(time)[:, None]
    by_day = days.as_count(counting.sums_of_runs(weighted, first))
    starts, ends = _fade(recent, last, by_day, key[first], day[first], days)
    # The value at the start of each impression's day.
    faded = starts[np.searchsorted(first, of_day)]
    totals = at_day
    if by_event:
        of_time = counting.run_starts(item, time)
        totals = total[key] + counting.sums_before(flags, of_item, of_time)
        earlier = days.as_count(counting.sums_before(weighted, of_day, of_time))
        faded = (faded + earlier) * days.within(time)[:, None]

    final = np.append(key[first][1:] != key[first][:-1], True) if len(first) else np.zeros(0, bool)
    end_totals = total + counting.sums_of_runs(flags, np.unique(of_item))
    counted = ItemCounters(keys, end_totals, ends[final], day[first][final])
    rest = before.take(~np.isin(before.item, keys))
    seen = at_day[:, 0]
    at_start = at_day
    changes = [
        popularity.before(before.totals[:, 0]),
        popularity.changes(
            day[first], seen[first], seen[first] + counting.sums_of_runs(flags[:, :1], first)[:, 0]
        ),
    ]
    if evaluation is not None:
        evaluates = evaluation[order][:, None]
        trained = total + counting.sums_of_runs(flags * ~evaluates, np.unique(of_item))
        at_start = np.where(evaluates, trained[key], at_day)
        period = np.full(len(keys), popularity.EVALUATION)
        changes.append(popularity.changes(period, total[:, 0], trained[:, 0]))
    return CountedItems(
        totals[back],
        faded[back],
        at_start[back],
        ItemCounters.concatenate([counted, rest]),
        popularity.add(changes),
    )


def _at_first(keys: np.ndarray, before: ItemCounters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Totals, recent counters and last days of some items; zeros of those without."""
    width = before.totals.shape[1]
    totals, recent = np.zeros((len(keys), width), np.int64), np.zeros((len(keys), width))
    last = np.zeros(len(keys), np.int64)
    known = np.flatnonzero(np.isin(keys, before.item))
    rows = np.searchsorted(before.item, keys[known])
    totals[known], recent[known], last[known] = (
        before.totals[rows],
        before.recent[rows],
        before.day[rows],
    )
    return totals, recent, last


def _fade(
    recent: np.ndarray,
    last: np.ndarray,
    by_day: np.ndarray,
    key: np.ndarray,
    day: np.ndarray,
    days: Days,
) -> tuple[np.ndarray, np.ndarray]:
    """V and U of `Days` of each key in each of its active days.

    Args:
        recent: float64 [keys, C], U of each key's last day before.
        last: int64 [keys], that day.
        by_day: float64 [m, C], sums of weights of an active day, sorted by key, then by day.
        key: int64 [m].
        day: int64 [m].
        days: The days.

    Returns:
        V and U, float64 [m, C].
    """
    starts, ends = np.empty_like(by_day), np.empty_like(by_day)
    recent, last = recent.copy(), last.copy()
    rank = np.arange(len(key)) - counting.run_starts(key)
    # All keys' first active days, then all their second ones, and so on.
    by_rank = np.argsort(rank, kind="stable")
    bounds = np.searchsorted(rank[by_rank], np.arange(rank.max(initial=-1) + 2))
    for begin, end in itertools.pairwise(bounds):
        rows = by_rank[begin:end]
        which = key[rows]
        starts[rows] = recent[which] * days.between(day[rows] - last[which])[:, None]
        ends[rows] = starts[rows] + by_day[rows]
        recent[which], last[which] = ends[rows], day[rows]
    return starts, ends
