"""A claim, and the comparisons that it is made of."""

import dataclasses
from typing import Any
from typing import Literal

import numpy as np

from benchmarks.scores import Difference

#: The share by which a value is "reduced".
REDUCTION = 0.4

Expected = Literal["above", "below", "not above", "not below", "same", "reduced"]


@dataclasses.dataclass(frozen=True)
class Part:
    """One comparison of a claim.

    Attributes:
        text: What is compared.
        expected: How the first should stand to the second; "reduced" by `REDUCTION` or more.
        slice: Where.
        rows: Table budget.
        difference: What was found; None where the slice has no AUC.
    """

    text: str
    expected: Expected
    slice: str
    rows: int | None
    difference: Difference | None

    @property
    def margin(self) -> float:
        """By how much the comparison holds; negative where it does not."""
        if self.difference is None:
            return -np.inf
        low, high = self.difference.low, self.difference.high
        return {
            "above": low,
            "below": -high,
            "not above": -low,
            "not below": high,
            "same": min(high, -low),
            "reduced": low - REDUCTION,
        }[self.expected]

    @property
    def holds(self) -> bool:
        """Whether it is as expected: an interval that touches zero shows no difference."""
        return self.margin > 0 if self.expected in ("above", "below") else self.margin >= 0

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        found = self.difference
        return {
            "text": self.text,
            "expected": self.expected,
            "slice": self.slice,
            "rows": self.rows,
            "delta": found and found.delta,
            "ci": found and [found.low, found.high],
            "holds": self.holds,
        }


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim and what became of it.

    Attributes:
        number: As in the list of claims.
        text: What is claimed.
        parts: The comparisons that it is made of.
        further: What has to be true besides; None: nothing.
        further_text: That, in words.
    """

    number: int
    text: str
    parts: list[Part]
    further: bool | None = None
    further_text: str = ""

    @property
    def testable(self) -> list[Part]:
        """The comparisons whose slice the data set has."""
        return [part for part in self.parts if part.difference is not None]

    @property
    def holds(self) -> bool:
        """Whether every comparison that can be made is as expected."""
        parts = self.testable
        return bool(parts) and all(part.holds for part in parts) and self.further is not False

    def as_dict(self) -> dict[str, Any]:
        """For the report; `delta` and `ci` are those of the comparison that holds least."""
        decides = min(self.testable, key=lambda part: part.margin, default=None)
        found = decides and decides.difference
        return {
            "claim": self.number,
            "text": self.text,
            "delta": found and found.delta,
            "ci": found and [found.low, found.high],
            "holds": self.holds,
            "decided_by": decides and decides.text,
            "why": self.why(),
            "parts": [part.as_dict() for part in self.parts],
        }

    def why(self) -> str:
        """What speaks against the claim, in plain words; empty where it holds."""
        if self.holds:
            return ""
        if not self.testable:
            return "The data set or the sweep has nothing to test it on."
        failed = [_reason(part) for part in self.testable if not part.holds]
        if self.further is False:
            failed.append(self.further_text)
        return " ".join(failed)


def _reason(part: Part) -> str:
    found = part.difference
    numbers = f"{found.delta:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
    if part.expected == "reduced":
        return f"{part.text}: {numbers}, at least {REDUCTION} was expected."
    if found.low <= 0 <= found.high:
        return f"{part.text}: {numbers} does not tell them apart."
    side = "above" if found.low > 0 else "below"
    return f"{part.text}: {numbers} lies {side} zero, expected was {part.expected}."
