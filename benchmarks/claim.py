"""A claim, and the comparisons that it is made of."""

import dataclasses
from typing import Any
from typing import Literal

import numpy as np

from benchmarks.scores import Difference

#: The share by which a value is "reduced".
REDUCTION = 0.4

Expected = Literal["above", "below", "not above", "not below", "same", "reduced"]

_WANTED = {
    "above": "above zero",
    "below": "below zero",
    "not above": "at zero or below",
    "not below": "at zero or above",
    "same": "around zero",
    "reduced": f"at {REDUCTION} or above",
}


@dataclasses.dataclass(frozen=True)
class Part:
    """One comparison of a claim.

    Attributes:
        text: What is compared.
        expected: How the first should stand to the second; "reduced" by `REDUCTION` or more.
        slice: Where.
        rows: Table budget.
        difference: What was found; None where the slice has no AUC or a ranker is missing.
        missing: The rankers that are missing, in words; empty where none is.
        examples: Impressions of the slice; None where it is not impressions that are compared.
    """

    text: str
    expected: Expected
    slice: str
    rows: int | None
    difference: Difference | None
    missing: str = ""
    examples: int | None = None

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

    def why(self) -> str:
        """The evidence against it, as a sentence."""
        found = self.difference
        text = f"{self.text}: {found.delta:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
        wanted = _WANTED[self.expected]
        if found.low > 0 and self.expected != "reduced":
            return f"{text} lies above zero; claimed is {wanted}"
        if found.high < 0:
            return f"{text} lies below zero; claimed is {wanted}"
        if self.expected == "reduced":
            return f"{text} reaches below {REDUCTION}; claimed is {wanted}"
        on = "" if self.examples is None else f" on these {self.examples} impressions"
        return f"{text} spans zero: the two cannot be told apart{on}; claimed is {wanted}"

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        found = self.difference
        return {
            "text": self.text,
            "expected": self.expected,
            "slice": self.slice,
            "rows": self.rows,
            "examples": self.examples,
            "delta": found and found.delta,
            "ci": found and [found.low, found.high],
            "holds": self.holds,
            "missing": self.missing,
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
        """The comparisons that could be made."""
        return [part for part in self.parts if part.difference is not None]

    @property
    def tested(self) -> bool:
        """Whether every comparison could be made that the data set has impressions for."""
        return bool(self.testable) and not any(part.missing for part in self.parts)

    @property
    def holds(self) -> bool:
        """Whether the claim was tested and every comparison is as expected."""
        return self.tested and not self._against()

    @property
    def verdict(self) -> str:
        """The outcome, as a sentence."""
        if not self.tested:
            return "could not be tested"
        return "holds" if self.holds else "does not hold"

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
            "tested": self.tested,
            "decided_by": decides and decides.text,
            "why": self.why(),
            "parts": [part.as_dict() for part in self.parts],
        }

    def why(self) -> list[str]:
        """The evidence against the claim, as a sentence; empty where it holds.

        First in one sentence, then comparison by comparison.
        """
        if self.holds:
            return []
        missing = list(dict.fromkeys(part.missing for part in self.parts if part.missing))
        if missing:
            return ["Rankers that it needs are missing.", *missing]
        if not self.testable:
            return ["The data set or the sweep has nothing to test it on."]
        wrong = sum(not part.holds for part in self.testable)
        summary = f"Comparisons that are not as claimed: {wrong} of {len(self.testable)}."
        return [summary, *self._against()]

    def _against(self) -> list[str]:
        found = [part.why() for part in self.testable if not part.holds]
        return found + ([self.further_text] if self.further is False else [])

    def untested(self) -> list[Part]:
        """The comparisons that the data set has no impressions for."""
        return [part for part in self.parts if part.difference is None and not part.missing]
