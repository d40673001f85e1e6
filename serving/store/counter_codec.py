"""Counters as bytes: C little-endian float32."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPE = np.dtype("<f4")


def encode_counters(counters: NDArray[Any]) -> list[bytes]:
    """Packs counters.

    Args:
        counters: [N, C] numbers.

    Returns:
        N values.

    Raises:
        ValueError: They have another shape, or are no numbers.
    """
    try:
        rows = np.asarray(counters, _DTYPE)
    except (ValueError, TypeError):
        raise ValueError("counters are no array of numbers; [N, C] is wanted") from None
    if rows.ndim != 2:
        raise ValueError(f"counters have shape {rows.shape}; [N, C] is wanted")
    return [row.tobytes() for row in rows]


def decode_counters(values: Sequence[bytes | None], width: int) -> NDArray[Any]:
    """Unpacks counters.

    Args:
        values: What `encode_counters` made, N long; None for an item without any.
        width: Counters of an item (C).

    Returns:
        float32 [N, C]; NaN where there is none, and where there is another number of them, which
        another ranker counts.
    """
    absent = np.full(width, np.nan, _DTYPE).tobytes()
    filled = [
        value if value is not None and len(value) == len(absent) else absent for value in values
    ]
    return np.frombuffer(b"".join(filled), _DTYPE).reshape(len(values), width).astype(np.float32)
