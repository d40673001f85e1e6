"""Bars that a measurement has to clear."""

from typing import Any


def at_most(bar: str, value: float, limit: float) -> dict[str, Any]:
    """A bar that holds where the value does not pass the limit."""
    return {"bar": bar, "value": value, "limit": limit, "holds": bool(value <= limit)}


def at_least(bar: str, value: float, limit: float) -> dict[str, Any]:
    """A bar that holds where the value reaches the limit."""
    return {"bar": bar, "value": value, "limit": limit, "holds": bool(value >= limit)}
