"""Counts of the join, and the refusal of a log by them."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np

from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.contracts.errors import InputError

_EXAMPLES = 3
_OF_ALL = ("impressions", "unknown_items", "unknown_current_items", "late_impressions")

#: Numbers by (kind, ...), and up to three ids of unknown items.
Counts = tuple[Counter, list[str]]


def count(
    split: str,
    item_ids: np.ndarray,
    known: np.ndarray,
    late: np.ndarray,
    joined: np.ndarray,
    users: np.ndarray,
    masked: Mapping[str, np.ndarray],
    unknown_current_items: int,
) -> Counts:
    """Counts a batch of n impressions.

    Args:
        split: Name of their split.
        item_ids: [n] bytes.
        known: bool [n], whether the item is known.
        late: bool [n], whether the impression is of a day that the state has in it already.
        joined: bool [n], whether the impression is joined.
        users: [n] bytes, empty where there is no user.
        masked: Task name -> bool [n], whether there is no label.
        unknown_current_items: Their number.
    """
    numbers = Counter(
        {
            ("impressions",): len(known),
            ("unknown_items",): int((~known).sum()),
            ("unknown_current_items",): unknown_current_items,
            ("late_impressions",): int((known & late).sum()),
            ("without_user", split): int((joined & (users == b"")).sum()),
            ("joined", split): int(joined.sum()),
        }
    )
    for task, mask in masked.items():
        numbers["masked_labels", split, task] = int((joined & mask).sum())
    return numbers, sorted({i.decode() for i in item_ids[~known]})[:_EXAMPLES]


def add(counts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    total: Counter[tuple[str, ...]] = Counter({(name,): 0 for name in _OF_ALL})
    names: set[str] = set()
    for numbers, examples in counts:
        # Not `+=`, which drops zeros.
        total.update(numbers)
        names.update(examples)
    return total, sorted(names)[:_EXAMPLES]


def as_json(counts: Counts) -> dict[str, Any]:
    """Counts as `join.json` holds them.

    Returns:
        `impressions`, `unknown_items`, `unknown_current_items`, `late_impressions`,
        `examples_of_unknown`, and of the impressions that were joined, by split: `joined`,
        `without_user` and, by task, `masked_labels`.
    """
    content: dict[str, Any] = {}
    for path, number in sorted(counts[0].items()):
        inner = content
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = number
    return {**content, "examples_of_unknown": counts[1]}


def refuse(counts: Mapping[str, Any], parameters: JoinParameters) -> None:
    """Refuses a log that makes no run.

    Args:
        counts: The content of `join.json`.
        parameters: What is joined.

    Raises:
        InputError: Too many impressions are of unknown items; or there is an evaluation period, and
            a task has no label in it or before it.
    """
    unknown, impressions = counts["unknown_items"], counts["impressions"]
    if unknown > parameters.max_unknown_fraction * impressions:
        raise InputError(
            f"{parameters.impressions}: column {parameters.item_column}: {unknown} of "
            f"{impressions} impressions ({unknown / impressions:.1%}) are of items that neither "
            "the items file has nor an earlier one had, such as "
            f"{', '.join(map(repr, counts['examples_of_unknown']))}; "
            f"at most {parameters.max_unknown_fraction:.1%} may be (join.max_unknown_fraction)"
        )
    if not parameters.evaluation_period:
        return
    for split, name in (("train", "training"), ("eval", "evaluation")):
        joined = counts.get("joined", {}).get(split, 0)
        for task, column in parameters.labels.items():
            if counts.get("masked_labels", {}).get(split, {}).get(task, 0) == joined:
                raise InputError(
                    f"{parameters.impressions}: column {column}: none of the {joined} impressions "
                    f"of the {name} period has a label of task {task}; a task needs labels in both "
                    "periods (split.evaluation_start)"
                )
