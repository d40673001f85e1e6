"""A difference between two models in one sentence."""

from collections.abc import Mapping
from typing import Any

from semantic_id_ranking.evaluation.metric_names import default_metric
from semantic_id_ranking.evaluation.metric_names import NAMES
from semantic_id_ranking.evaluation.slices import ALL


def headline(report: Mapping[str, Any], peer: str, names: Mapping[str, str]) -> str:
    """The gain over all impressions in the first task.

    Args:
        report: As `make_report` makes it.
        peer: The model that the candidate is compared with.
        names: What each of the two models is called in the sentence.

    Returns:
        Such as "sid_hybrid over random_hash, AUC of click: +.031 [.027, .035] on 12,345 impressions
        of 678 users".
    """
    task, of_task = next(iter(report["tasks"].items()))
    of_slice = of_task["slices"][ALL]
    key = default_metric(of_task["type"])
    difference = of_slice["differences"][peer][key]
    pair = f"{names[report['candidate']]} over {names[peer]}"
    found = f"{pair}, {NAMES[key]} of {task}: {describe(difference)}"
    found += f" on {of_slice['examples']:,} impressions"
    return f"{found} of {of_slice['users']:,} users" if of_slice["users"] else found


def describe(difference: Mapping[str, float | None]) -> str:
    """A difference and its interval, such as "+.031 [.027, .035]".

    >>> describe({"estimate": 0.0312, "low": -0.001, "high": 1.25})
    '+.031 [-.001, 1.250]'
    """
    estimate, low, high = (difference[key] for key in ("estimate", "low", "high"))
    if estimate is None:
        return "not known"
    if low is None or high is None:
        return f"{_short(estimate, '+')} (no interval)"
    return f"{_short(estimate, '+')} [{_short(low)}, {_short(high)}]"


def _short(number: float, sign: str = "") -> str:
    """Three decimals, without the zero before the point."""
    text = f"{number:{sign}.3f}"
    return text.replace("0.", ".", 1) if abs(number) < 0.9995 else text
