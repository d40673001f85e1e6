"""Results of a sweep by variant and table size, and differences between them."""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks.sweep import FailedTrial
from benchmarks.trial import TrialResult
from semantic_id_ranking.evaluation.bootstrap import interval
from semantic_id_ranking.evaluation.bootstrap import seed_mean


@dataclasses.dataclass(frozen=True)
class Difference:
    """A difference with its uncertainty.

    Attributes:
        delta: Mean over the seeds.
        low: Lower bound of the 95 % interval, over users and seeds.
        high: Upper bound.
    """

    delta: float
    low: float
    high: float


class Scores:
    """Results, seed by seed."""

    def __init__(
        self, results: Iterable[TrialResult], task: str, failed: Iterable[FailedTrial] = ()
    ):
        """Sorts the results.

        Args:
            results: Of the sweep.
            task: The task whose AUC is meant.
            failed: Trials of the sweep that have no result.
        """
        self._task = task
        self._results = _by_cell(results)
        self._failed = _by_cell(failed)

    def of(self, label: str, rows: int, world: str = "main") -> list[TrialResult]:
        """The results of all seeds that have one; none where it was not tried.

        Args:
            label: A representation's.
            rows: Table budget.
            world: See `Trial`.
        """
        return self._results.get((world, label, rows), [])

    def missing(self, label: str, rows: int, world: str = "main") -> str:
        """Results of seeds that a comparison needs and lacks; empty where nothing."""
        cell = (world, label, rows)
        if cell in self._failed:
            return "; ".join(f"{one.name} failed" for one in self._failed[cell])
        return "" if cell in self._results else f"{label} was not tried at {rows} rows"

    def tried(self) -> dict[str, list[int]]:
        """Representations of the main world by label, with their budgets, ascending.

        Those that failed are among them.
        """
        tried: dict[str, list[int]] = {}
        for world, label, rows in [*self._results, *self._failed]:
            if world == "main" and rows not in tried.setdefault(label, []):
                tried[label].append(rows)
        return {label: sorted(rows) for label, rows in tried.items()}

    def auc(self, result: TrialResult, name: str) -> float | None:
        """AUC of a result on a slice; None where the slice has none."""
        return self.row(result, name).get("auc")

    def row(self, result: TrialResult, name: str) -> dict[str, float | int | None]:
        """All metrics of a result on a slice."""
        return next(
            row for row in result.metrics if row["task"] == self._task and row["slice"] == name
        )

    def auc_difference(
        self, first: list[TrialResult], second: list[TrialResult], name: str
    ) -> Difference | None:
        """AUC of the first less that of the second, on a slice, seed by seed.

        Returns:
            None where the slice has no AUC.
        """
        return difference(
            first,
            second,
            lambda result: self.auc(result, name),
            lambda result: result.samples[name],
        )


def difference(
    first: list[TrialResult],
    second: list[TrialResult],
    value: Callable[[TrialResult], float | None],
    samples: Callable[[TrialResult], np.ndarray],
) -> Difference | None:
    """The first less the second, seed by seed.

    Args:
        first: Results of all seeds.
        second: Of the same seeds.
        value: Gives a result's value.
        samples: Gives the value under each draw of the bootstrap, [R].

    Returns:
        None where there are no values, or no draw has one.
    """
    pairs = list(zip(first, second, strict=True))
    if not pairs or any(value(result) is None for pair in pairs for result in pair):
        return None
    deltas = [value(one) - value(other) for one, other in pairs]
    drawn = np.array([samples(one) - samples(other) for one, other in pairs])
    means = seed_mean(drawn)
    if np.isnan(means).all():
        return None
    return Difference(float(np.mean(deltas)), *interval(means))


def _by_cell(outcomes: Iterable[Any]) -> dict[tuple[str, str, int], list[Any]]:
    """Outcomes by world, label and rows, in the order of their seeds."""
    cells: dict[tuple[str, str, int], list[Any]] = {}
    for outcome in sorted(outcomes, key=lambda outcome: outcome.trial.seed):
        trial = outcome.trial
        cells.setdefault((trial.world, trial.variant.label, trial.rows), []).append(outcome)
    return cells
