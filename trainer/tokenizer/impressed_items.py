"""The items that were shown in training, which vocabularies are made of."""

import dataclasses
import os

import numpy as np

FILE_NAME = "impressed_items.npz"


@dataclasses.dataclass(frozen=True)
class ImpressedItems:
    """Items with at least one impression in the train split.

    Attributes:
        item_ids: UTF-8 bytes [N], distinct.
        sids: int32 [N, L].
        impressions: int64 [N], 1 or more.
    """

    item_ids: np.ndarray
    sids: np.ndarray
    impressions: np.ndarray

    @classmethod
    def select(
        cls, item_ids: np.ndarray, sids: np.ndarray, impressions: np.ndarray
    ) -> "ImpressedItems":
        """Keeps the items that were shown.

        Args:
            item_ids: Strings or bytes [M].
            sids: Integers [M, L].
            impressions: Integers [M], 0 or more, in the train split.
        """
        shown = np.asarray(impressions) > 0
        ids = [i if isinstance(i, bytes) else str(i).encode() for i in np.asarray(item_ids)[shown]]
        return cls(
            np.array(ids, np.bytes_),
            np.asarray(sids)[shown].astype(np.int32),
            np.asarray(impressions)[shown].astype(np.int64),
        )

    def save(self, directory: str) -> None:
        """Writes `impressed_items.npz` into a directory."""
        np.savez_compressed(os.path.join(directory, FILE_NAME), **dataclasses.asdict(self))

    @classmethod
    def load(cls, directory: str) -> "ImpressedItems":
        """Reads `impressed_items.npz` from a directory.

        Raises:
            FileNotFoundError: The directory holds none.
        """
        with np.load(os.path.join(directory, FILE_NAME), allow_pickle=False) as arrays:
            return cls(**arrays)
