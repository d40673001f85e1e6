"""Sums over the earlier events of a key: pure functions over sorted arrays."""

import numpy as np


def run_starts(*columns: np.ndarray) -> np.ndarray:
    """Index of the first row of each row's run of equal values.

    >>> run_starts(np.array([4, 4, 7, 7]), np.array([1, 1, 1, 2]))
    array([0, 0, 2, 3])

    Args:
        *columns: [n] each; equal rows are neighbours.

    Returns:
        int64 [n].
    """
    rows = len(columns[0])
    first = np.ones(rows, bool)
    first[1:] = False
    for column in columns:
        first[1:] |= column[1:] != column[:-1]
    return np.maximum.accumulate(np.where(first, np.arange(rows), 0))


def sums_before(values: np.ndarray, key_start: np.ndarray, run_start: np.ndarray) -> np.ndarray:
    """Sums over the rows of a row's key that lie before its run.

    >>> clicks = np.array([[1], [1], [0], [1], [1]])
    >>> sums_before(clicks, np.array([0, 0, 0, 0, 4]), np.array([0, 1, 1, 3, 4])).ravel()
    array([0, 1, 1, 2, 0])

    Args:
        values: int64 [n, C]; rows in the order of their key, then of time.
        key_start: [n], the first row of each row's key.
        run_start: [n], the first row of the key that does not lie before it: rows at one instant
            (or in one day) do not see each other.

    Returns:
        int64 [n, C].
    """
    total = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=total[1:])
    return total[run_start] - total[key_start]


def sums_of_runs(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sums over runs of rows.

    Args:
        values: int64 [n, C].
        first: [m], the first row of each run, ascending from 0.

    Returns:
        int64 [m, C].
    """
    if not len(first):
        return np.zeros((0, values.shape[1]), np.int64)
    return np.add.reduceat(values, first, axis=0)
