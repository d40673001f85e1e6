"""Items with impressions in the train split, the source of vocabularies."""

import dataclasses
import os

import numpy as np

FILE_NAME = "impressed_items.npz"


@dataclasses.dataclass(frozen=True, eq=False)
class ImpressedItems:
    """Items with at least one impression in the train split.

    Attributes:
        item_ids: UTF-8 bytes [N], distinct; None where they are not known.
        sids: int32 [N, L].
        impressions: int64 [N], 1 or more.
    """

    item_ids: np.ndarray | None
    sids: np.ndarray
    impressions: np.ndarray

    @classmethod
    def select(
        cls, item_ids: np.ndarray | None, sids: np.ndarray, impressions: np.ndarray
    ) -> "ImpressedItems":
        """Keeps the items that have impressions.

        Args:
            item_ids: Strings, bytes or integers [M]; or None.
            sids: Integers [M, L].
            impressions: Integers [M], 0 or more, in the train split.
        """
        impressed = np.asarray(impressions) > 0
        if item_ids is not None:
            kept = np.asarray(item_ids)[impressed]
            item_ids = np.array(
                [i if isinstance(i, bytes) else str(i).encode() for i in kept], np.bytes_
            )
        return cls(
            item_ids,
            np.asarray(sids)[impressed].astype(np.int32),
            np.asarray(impressions)[impressed].astype(np.int64),
        )

    def followed_by(self, others: "ImpressedItems") -> "ImpressedItems":
        """These items, then others; both have item IDs, or both have none."""
        mine, theirs = self.arrays(), others.arrays()
        joined = {name: np.concatenate([mine[name], theirs[name]]) for name in mine}
        return ImpressedItems(**{"item_ids": None, **joined})

    def arrays(self) -> dict[str, np.ndarray]:
        """The known arrays, by attribute."""
        named = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: array for name, array in named.items() if array is not None}

    def save(self, directory: str) -> None:
        """Writes `impressed_items.npz` into a directory."""
        np.savez_compressed(os.path.join(directory, FILE_NAME), **self.arrays())

    @classmethod
    def load(cls, directory: str) -> "ImpressedItems":
        """Reads `impressed_items.npz` from a directory.

        Raises:
            FileNotFoundError: The directory holds none.
        """
        with np.load(os.path.join(directory, FILE_NAME), allow_pickle=False) as arrays:
            return cls(**{"item_ids": None, **arrays})
