"""Extras of this distribution that a command needs and that are not installed."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_DISTRIBUTION = "semantic-id-ranking"


def extra_sentence(error: ModuleNotFoundError) -> str | None:
    """Says which extra brings a module that is not installed.

    Returns:
        One sentence; None where nothing of the extras is missing.
    """
    extra = missing_extra()
    if extra is None:
        return None
    return (
        f"needs the module {error.name}, which the extra {extra} brings: "
        f"pip install 'semantic-id-ranking[{extra}]'"
    )


def missing_extra() -> str | None:
    """The first extra that users install of which a package is missing here.

    Returns:
        `pipeline`, `demo`, or None where nothing of them is missing.

    Raises:
        PackageNotFoundError: This distribution itself is not installed.
    """
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:  # It is of that extra itself.
        return "pipeline"
    requirements = [Requirement(text) for text in importlib.metadata.requires(_DISTRIBUTION) or ()]
    for extra in ("pipeline", "demo"):
        for requirement in requirements:
            if _is_of(requirement, extra) and not _is_installed(requirement.name):
                return extra
    return None


def _is_of(requirement: Requirement, extra: str) -> bool:
    """Whether the extra brings a package on this Python, and the base does not."""
    marker = requirement.marker
    return bool(marker and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""}))


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
