"""A random sample of items, the same in whatever order they come."""

import numpy as np

from semantic_id_ranking.encoding.item_keys import item_keys


class ItemSample:
    """Keeps the items whose ids have the smallest hashes.

    Attributes:
        size: Items kept, at most.
        count: Items that came.
    """

    def __init__(self, size: int, width: int, levels: int):
        """Makes an empty sample.

        Args:
            size: Items kept, at most.
            width: D.
            levels: L.
        """
        self.size, self.count = size, 0
        self._keys = np.empty(0, np.uint64)
        self._embeddings = np.empty((0, width), np.float32)
        self._sids = np.empty((0, levels), np.int32)

    def add(self, item_ids: np.ndarray, embeddings: np.ndarray, sids: np.ndarray) -> None:
        """Adds items.

        Args:
            item_ids: [n] object (str).
            embeddings: float32 [n, D].
            sids: int32 [n, L], what is known of them.
        """
        self.count += len(item_ids)
        keys = np.concatenate([self._keys, item_keys(item_ids)])
        kept = np.argsort(keys, kind="stable")[: self.size]
        self._keys = keys[kept]
        self._embeddings = np.concatenate([self._embeddings, embeddings])[kept]
        self._sids = np.concatenate([self._sids, sids])[kept]

    @property
    def embeddings(self) -> np.ndarray:
        """float32 [kept, D]."""
        return self._embeddings

    @property
    def sids(self) -> np.ndarray:
        """int32 [kept, L], as they were added."""
        return self._sids
