"""Interleaved timing, so that noise of the machine affects all candidates alike."""

import statistics
import time
from collections.abc import Callable
from typing import Any


def timed(function: Callable[[], Any]) -> Callable[[], float]:
    """A function that gives the seconds that `function`, once warmed up, takes."""
    function()

    def seconds() -> float:
        begin = time.perf_counter()
        function()
        return time.perf_counter() - begin

    return seconds


def interleave(
    contestants: dict[str, Callable[[], float]],
    rounds: int,
    progress: Callable[[str], None] = print,
) -> dict[str, list[float]]:
    """Runs each contestant once a round.

    Args:
        contestants: Functions that give the seconds that they took, by name.
        rounds: How often.
        progress: Is told of each round, with what it measured.

    Returns:
        The seconds of each, by name.
    """
    seconds = {name: [] for name in contestants}
    for number in range(1, rounds + 1):
        for name, contestant in contestants.items():
            seconds[name].append(contestant())
        latest = ", ".join(f"{name} {taken[-1]:.2f} s" for name, taken in seconds.items())
        progress(f"round {number} of {rounds}: {latest}")
    return seconds


def speed_ratio(ours: list[float], theirs: list[float]) -> float:
    """Our speed-up: the median over the rounds of their seconds over ours."""
    return statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
