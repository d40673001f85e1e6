"""Semantic IDs and predictions of two spaces, side by side. No TFX here."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.evaluation.predictions import Predictions
from semantic_id_ranking.evaluation.predictions import select

# Rounding in float32 sums of other pieces moves predictions by less.
_TOLERANCE = 1e-5
_KEY = ["user", "item", "time"]


def churn(
    old_ids: NDArray[Any], old_sids: NDArray[Any], new_ids: NDArray[Any], new_sids: NDArray[Any]
) -> dict[str, Any]:
    """What becomes of Semantic IDs.

    >>> old, new = np.array([[0, 1], [2, 3], [1, 1]]), np.array([[0, 1], [2, 0], [3, 3]])
    >>> churn(np.array(["a", "b", "c"]), old, np.array(["a", "b", "d"]), new)
    {'both': 2, 'gone': 1, 'new': 1, 'kept': [1.0, 0.5]}

    Args:
        old_ids: [N] item ids, each once.
        old_sids: Integers [N, L].
        new_ids: [M].
        new_sids: Integers [M, L].

    Returns:
        Number of items in `both` spaces, of those that are `gone` and of those that are `new`;
        `kept`: of the items in both the share whose first code stays, first two, ... all.
    """
    row = pd.Index(old_ids).get_indexer(pd.Index(new_ids))
    both = row >= 0
    same = np.cumprod(old_sids[row[both]] == new_sids[both], axis=1)
    count = int(both.sum())
    return {
        "both": count,
        "gone": len(old_ids) - count,
        "new": len(new_ids) - count,
        "kept": same.mean(axis=0).tolist() if count else [],
    }


def matched(after: Predictions, before: Predictions) -> tuple[Predictions, Predictions]:
    """Rows of two tables of predictions that are of the same impressions.

    Args:
        after: Of some impressions, in any order.
        before: Of others.

    Returns:
        The rows of both, in one order. Of impressions of one user, item and instant the first goes
        with the first, and so on.

    Raises:
        InputError: There is no such row.
    """
    frames = []
    for table in (after, before):
        # Without a user, digests are those of rows.
        user = np.where(table["has_user"], table["user"], 0)
        frame = pd.DataFrame({"user": user, "item": table["item"], "time": table["time"]})
        frame["repeat"] = frame.groupby(_KEY).cumcount()
        frame["row"] = np.arange(len(frame))
        frames.append(frame)
    pairs = frames[0].merge(frames[1], on=[*_KEY, "repeat"], suffixes=("_after", "_before"))
    if pairs.empty:
        raise InputError(
            "no impression of the last day is among those that were replayed, so the refresh "
            "cannot be compared with what is served; give items that have those of the last day"
        )
    return (
        select(after, pairs["row_after"].to_numpy()),
        select(before, pairs["row_before"].to_numpy()),
    )


def moved(before: NDArray[np.float32], after: NDArray[np.float32]) -> dict[str, float]:
    """How far predictions move.

    Args:
        before: float32 [n].
        after: float32 [n], of the same impressions.

    Returns:
        `share` of the impressions whose prediction moves by more than rounding, and
        `mean_change`, the mean of the absolute differences.
    """
    change = np.abs(after.astype(np.float64) - before)
    tolerance = _TOLERANCE * max(float(np.abs(before).max()), 1e-30)
    return {"share": float((change > tolerance).mean()), "mean_change": float(change.mean())}
