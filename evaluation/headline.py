"""The difference to the strongest baseline in one sentence."""

from collections.abc import Mapping
from typing import Any

from semantic_id_ranking.evaluation.metric_names import default_metric
from semantic_id_ranking.evaluation.metric_names import NAMES
from semantic_id_ranking.evaluation.slices import ALL
from semantic_id_ranking.evaluation.strongest import strongest


def headline(report: Mapping[str, Any], name: str) -> str:
    """The gain over all impressions in the first task, over the strongest baseline.

    Args:
        report: As `make_report` makes it, of one baseline at least.
        name: What the candidate is called in the sentence.

    Returns:
        Such as "sid_hybrid over random_hash, the stronger of item_rate and random_hash, AUC of
        click: +.031 [.027, .035] on 12,345 impressions of 678 users".
    """
    task, of_task = next(iter(report["tasks"].items()))
    of_slice = of_task["slices"][ALL]
    key = default_metric(of_task["type"])
    baselines = report["baselines"]
    peer = strongest(of_slice, of_task["type"], baselines)
    difference = of_slice["differences"][peer][key]
    found = f"{name} over {peer}"
    if len(baselines) > 1:
        superlative = "stronger" if len(baselines) == 2 else "strongest"
        found += f", the {superlative} of {', '.join(baselines[:-1])} and {baselines[-1]}"
    found += f", {NAMES[key]} of {task}: {describe(difference)}"
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
