"""A summary of the answers to a client, by version and by what went on meanwhile."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

#: Seconds before `release.json` is written, and after, that count as the release.
_BEFORE, _AFTER = 15.0, 10.0


@dataclasses.dataclass(frozen=True)
class Interval:
    """The time of a command, in seconds since 1970.

    Attributes:
        begin: Its start, the first one where it was repeated.
        end: Its end.
        released: When it released; None: it did not.
    """

    begin: float
    end: float
    released: float | None

    def name_of(self, times: np.ndarray) -> np.ndarray:
        """2 for times of the release, 1 for others of the command, 0 for all else."""
        inside = ((times >= self.begin) & (times <= self.end)).astype(np.int64)
        if self.released is None:
            return inside
        released = (times >= self.released - _BEFORE) & (times <= self.released + _AFTER)
        return np.where(released, 2, inside)


def summarize(
    answers: Mapping[str, Any],
    intervals: Sequence[Interval],
    spaces: Mapping[int, str],
    sids: Mapping[str, Mapping[str, Sequence[int]]],
) -> dict[str, Any]:
    """Counts what was answered.

    Args:
        answers: As `SoakClient.stop` gives them.
        intervals: The commands.
        spaces: Version of the ranker -> fingerprint of its SID space.
        sids: Fingerprint -> item -> Semantic ID, of all items in each space.

    Returns:
        `requests`; `failed`, and the first ten `errors`; `answers` by version; `latency`, by what
        went on: `requests`, `p50_ms`, `p99_ms`, `max_ms`; of the distinct Semantic IDs that were
        sent to a version `sids`, the number, and `sids_of_another_space`, those that are not what
        its space has of that item, and the first ten of them, `wrong`; `items_that_differ`, which
        have another Semantic ID in another space.
    """
    times, latencies, versions = np.array(answers["requests"]).T
    phase = np.max([interval.name_of(times) for interval in intervals], axis=0)
    number, wrong = 0, []
    for version, items in answers["sent"].items():
        table = sids[spaces[int(version)]]
        for item, sent in items.items():
            number += len(sent)
            wrong += [(version, item, sid) for sid in sent if sid != table[item]]
    return {
        "requests": len(times) + len(answers["failed"]),
        "failed": len(answers["failed"]),
        "errors": answers["failed"][:10],
        "answers": {version: int((versions == version).sum()) for version in sorted(spaces)},
        "latency": {
            name: _latency(latencies[phase == value])
            for value, name in enumerate(("idle", "commands", "releases"))
        },
        "sids": number,
        "sids_of_another_space": len(wrong),
        "wrong": wrong[:10],
        "items_that_differ": _differing(list(sids.values())),
    }


def _latency(milliseconds: np.ndarray) -> dict[str, float]:
    if not len(milliseconds):
        return {"requests": 0}
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return {
        "requests": len(milliseconds),
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "max_ms": float(milliseconds.max()),
    }


def _differing(tables: Sequence[Mapping[str, Sequence[int]]]) -> int:
    first = tables[0]
    return sum(any(t[item] != sid for t in tables[1:]) for item, sid in first.items())
