"""SIGKILLs at random moments."""

from collections.abc import Sequence

import numpy as np

#: Commands at the end that are left for kills that missed theirs.
_SPARE = 4


class Kills:
    """SIGKILLs at random moments of a list of commands.

    Args:
        seconds: What each command takes undisturbed.
        count: SIGKILLs. One whose command ends before its moment comes to a later command; none is
            meant for the last four.
        seed: Of the moments.

    Attributes:
        done: Of each the command and the second at which it came.
    """

    def __init__(self, seconds: Sequence[float], count: int, seed: int):
        self._rng = np.random.default_rng(seed)
        drawn = self._rng.integers(max(len(seconds) - _SPARE, 1), size=count)
        self._seconds, self._due = seconds, np.bincount(drawn, minlength=len(seconds))
        self.done: list[tuple[str, float]] = []

    def moment(self, number: int) -> float | None:
        """When the next one comes, in seconds from the start of a command; None: not at all."""
        earlier = int(self._due[: number + 1].sum()) - len(self.done)
        return float(self._rng.uniform(0, self._seconds[number])) if earlier > 0 else None
