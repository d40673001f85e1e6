"""Checks and forms of arguments that need no served version."""

import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def require_mapping(argument: str, value: Any) -> None:
    """Refuses what is no mapping; a data frame passes for one.

    Raises:
        ValueError: It is none.
    """
    if not hasattr(value, "keys"):
        raise ValueError(f"{argument} is {value!r}; a mapping from names to values is wanted")


def require_top_k(top_k: Any) -> None:
    """Refuses what is no number of candidates.

    Raises:
        ValueError: It is no integer, or less than 1.
    """
    if not isinstance(top_k, numbers.Integral) or isinstance(top_k, bool) or top_k < 1:
        raise ValueError(f"top_k is {top_k!r}; an integer of 1 or more is wanted")


def require_timeout(timeout: Any) -> None:
    """Refuses what is no number of seconds.

    Raises:
        ValueError: It is no finite number above 0.
    """
    is_number = isinstance(timeout, numbers.Real)
    if not is_number or not (0 < timeout < math.inf):
        raise ValueError(f"timeout is {timeout!r}; seconds, a finite number above 0, are wanted")


def require_on_store_error(on_store_error: Any) -> None:
    """Refuses what is neither of the two.

    Raises:
        ValueError: It is not.
    """
    if on_store_error not in ("raise", "unknown"):
        raise ValueError(f"on_store_error is {on_store_error!r}; 'raise' or 'unknown' is wanted")


def name_list(names: Iterable[Any]) -> str:
    """Names as a message lists them."""
    return ", ".join(sorted(map(str, names))) or "nothing"


def object_array(values: list[bytes]) -> NDArray[Any]:
    """Strings as an array of objects [n]; NumPy's own strings lose zeros at their end."""
    array = np.empty(len(values), object)
    array[:] = values
    return array
