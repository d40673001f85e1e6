"""Rows of embedding tables carried into the tables of a new vocabulary."""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semantic_id_ranking.contracts.errors import InputError


class TableRows(NamedTuple):
    """Rows of an embedding table with their part of the optimizer's state.

    Attributes:
        table: float32 [P, d].
        accumulators: float32 [P, d], Adagrad's sums of squared gradients, above 0.
    """

    table: np.ndarray
    accumulators: np.ndarray


def carry_rows(
    old_keys: Sequence[Hashable],
    new_keys: Sequence[Hashable],
    old: TableRows,
    start: TableRows,
    spell: Callable[[Hashable], Sequence[Hashable] | None] | None = None,
) -> TableRows:
    """Carries rows by what they stand for: a piece, a code, a Semantic ID, a category.

    A new key starts as the sum of the rows that spelled it, so that predictions stay, and with the
    accumulators of that sum: a gradient g moved it by g times the sum of G^(-1/2) over its rows,
    and moves a row of accumulator (sum G^(-1/2))^(-2) as far.

    >>> old = TableRows(np.array([[1.0], [2.0]]), np.array([[4.0], [4.0]]))
    >>> start = TableRows(np.zeros((3, 1)), np.ones((3, 1)))
    >>> carried = carry_rows("ab", ["b", "ab", "c"], old, start, {"ab": "ab"}.get)
    >>> carried.table.ravel().tolist(), carried.accumulators.ravel().tolist()
    ([2.0, 3.0, 0.0], [4.0, 1.0, 1.0])

    Args:
        old_keys: [P_old] what each old row stands for, each once.
        new_keys: [P_new] the same of the new rows.
        old: [P_old, d], the trained rows.
        start: [P_new, d], what the new table begins with: kept where nothing is carried.
        spell: The old keys that stood for a new key so far; none, or None, of one that is new
            altogether. Not asked for keys that are carried.

    Returns:
        [P_new, d]; the arrays given stay as they are.

    Raises:
        InputError: Keys and rows are not equally many, or a key comes twice.
    """
    row_of = {key: row for row, key in enumerate(old_keys)}
    for name, keys, rows in (("old", old_keys, old), ("new", new_keys, start)):
        if not len(keys) == len(rows.table) == len(rows.accumulators):
            raise InputError(
                f"{len(keys)} {name} keys need as many rows and accumulators, not "
                f"{len(rows.table)} and {len(rows.accumulators)}"
            )
        if len(set(keys)) < len(keys):
            raise InputError(f"the {name} keys must be distinct")
    table, accumulators = start.table.copy(), start.accumulators.copy()
    for row, key in enumerate(new_keys):
        spelled = [key] if key in row_of else (spell and spell(key)) or ()
        parts = [row_of[part] for part in spelled]
        if len(parts) == 1:
            table[row], accumulators[row] = old.table[parts[0]], old.accumulators[parts[0]]
        elif parts:
            table[row] = old.table[parts].sum(axis=0)
            inverse = 1 / np.sqrt(old.accumulators[parts].astype(np.float64))
            accumulators[row] = inverse.sum(axis=0) ** -2
    return TableRows(table, accumulators)
