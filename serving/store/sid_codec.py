"""Semantic IDs as bytes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace


class SidCodec:
    """A Semantic ID is L little-endian unsigned integers, of 2 bytes up to K = 65,536, else of 4.

    Args:
        space: The space of the Semantic IDs.
    """

    def __init__(self, space: SidSpace):
        self._space = space
        self._dtype = np.dtype("<u2" if space.codebook_size <= 1 << 16 else "<u4")
        self._width = space.levels * self._dtype.itemsize

    def encode(self, sids: NDArray[Any]) -> list[bytes]:
        """Packs Semantic IDs.

        Args:
            sids: [N, L] integers, 0 .. K-1.

        Returns:
            N values.

        Raises:
            ValueError: The shape, the type or a code does not fit the space.
        """
        space = self._space
        sids = np.asarray(sids)
        if sids.dtype.kind not in "iu":
            raise ValueError(f"Semantic IDs are {sids.dtype}; integers are wanted")
        if sids.ndim != 2 or sids.shape[1] != space.levels:
            raise ValueError(
                f"Semantic IDs have shape {sids.shape}; SID space {space.fingerprint} wants "
                f"[N, {space.levels}]"
            )
        wrong = (sids < 0) | (sids >= space.codebook_size)
        if wrong.any():
            row = wrong.any(axis=1).argmax()
            raise ValueError(
                f"Semantic ID {sids[row].tolist()} at row {row} is not of SID space "
                f"{space.fingerprint}; codes are 0 .. {space.codebook_size - 1}"
            )
        packed = sids.astype(self._dtype).tobytes()
        return [packed[start : start + self._width] for start in range(0, len(packed), self._width)]

    def decode(self, values: Sequence[bytes | None]) -> NDArray[Any]:
        """Unpacks Semantic IDs.

        Args:
            values: What `encode` made; None for an item without one.

        Returns:
            [N, L] int32; codes -1 where there is none.

        Raises:
            ValueError: A value has another length than the space's.
        """
        nothing = bytes(self._width)
        present = np.fromiter((value is not None for value in values), bool, len(values))
        filled = [nothing if value is None else value for value in values]
        for value in filled:
            if len(value) != self._width:
                raise ValueError(
                    f"a value of {len(value)} bytes is no Semantic ID of SID space "
                    f"{self._space.fingerprint}, which takes {self._width}"
                )
        sids = np.frombuffer(b"".join(filled), self._dtype).reshape(-1, self._space.levels)
        # Signed first: beside an unsigned array, NumPy 2 takes -1 for one of its type.
        return np.where(present[:, np.newaxis], sids.astype(np.int32), np.int32(-1))
