"""Mean labels before each period, and rates of items smoothed by them: pure code over arrays."""

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping

import numpy as np

from semantic_id_ranking.components.feature_joiner import counting
from semantic_id_ranking.contracts.counters import PRIOR_LABELS

#: Of each task, the number of its labels and their sum.
Totals = Mapping[str, tuple[int, float]]


def label_sums(group: int, period: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Numbers and sums of the labels of each period, of one group of items.

    Args:
        group: The group's number.
        period: int64 [n], `blocks.periods`.
        labels: float32 [n, T], NaN where there is none.

    Returns:
        float64 [d, 2 + 2T]: a row (period, group, T numbers, T sums) for each period. It does not
        depend on the order of the impressions.
    """
    tasks = labels.shape[1]
    periods, key = np.unique(period, return_inverse=True)
    first = np.searchsorted(np.sort(key.reshape(-1)), np.arange(len(periods)))
    sums = np.empty((len(periods), 2 + 2 * tasks))
    sums[:, 0], sums[:, 1] = periods, group
    for task in range(tasks):
        # Floating-point sums depend on the order of what is added.
        values = labels[np.lexsort((labels[:, task], key.reshape(-1))), task].astype(np.float64)
        known = ~np.isnan(values)
        columns = np.stack([known, np.where(known, values, 0.0)], axis=1)
        sums[:, [2 + task, 2 + tasks + task]] = counting.sums_of_runs(columns, first)
    return sums


def concatenate(parts: Iterable[np.ndarray], tasks: int) -> np.ndarray:
    """All rows of `label_sums`, in any order; `tasks` is T."""
    return np.concatenate([np.zeros((0, 2 + 2 * tasks)), *parts])


@dataclasses.dataclass(frozen=True)
class LabelMeans:
    """Mean labels of all impressions before a period: a day, or the evaluation period.

    Attributes:
        tasks: Names of the T tasks.
        periods: float64 [d], those with impressions, ascending.
        numbers: float64 [d + 1, T], labels before the first of them, and after each.
        sums: float64 [d + 1, T], their sums.
    """

    tasks: tuple[str, ...]
    periods: np.ndarray
    numbers: np.ndarray
    sums: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, tasks: Iterable[str], before: Totals | None) -> "LabelMeans":
        """Of all labels.

        Args:
            rows: From `concatenate`.
            tasks: Names of the tasks.
            before: The totals of an earlier state; None: there is none.
        """
        tasks = tuple(tasks)
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        periods, first = np.unique(rows[:, 0], return_index=True)
        start = np.array([(before or {}).get(task, (0, 0.0)) for task in tasks], np.float64)
        before_all = start.reshape(-1, 2).T.reshape(1, -1)
        by_period = counting.sums_of_runs(rows[:, 2:], first)
        totals = np.cumsum(np.concatenate([before_all, by_period]), axis=0)
        return cls(tasks, periods, totals[:, : len(tasks)], totals[:, len(tasks) :])

    @property
    def totals(self) -> Totals:
        """Of each task, after the last period."""
        last = zip(self.tasks, self.numbers[-1], self.sums[-1], strict=True)
        return {task: (int(number), float(total)) for task, number, total in last}

    def mean(self, task: str, period: np.ndarray) -> np.ndarray:
        """Mean labels of a task before some periods, float64 [n]; 0 where there is no label."""
        numbers, sums = self._before(task, period)
        return sums / np.maximum(numbers, 1)

    def item_rates(
        self, task: str, period: np.ndarray, labels: np.ndarray, positives: np.ndarray
    ) -> np.ndarray:
        """Smoothed rates of items: (k + m p) / (n + m), m being `PRIOR_LABELS`.

        p is the mean rate (K + 1/2) / (N + 1) of the N labels before the period, K of them
        positive: never 0 or 1, and 1/2 where nothing is known.

        Args:
            task: A binary task.
            period: int64 [n].
            labels: [n], n of the impression's item.
            positives: [n], k of it.

        Returns:
            float64 [n], above 0 and below 1.
        """
        numbers, sums = self._before(task, period)
        mean = (sums + 0.5) / (numbers + 1)
        return (positives + PRIOR_LABELS * mean) / (labels + PRIOR_LABELS)

    def _before(self, task: str, period: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        row, column = np.searchsorted(self.periods, period), self.tasks.index(task)
        return self.numbers[row, column], self.sums[row, column]
