"""Items to a table of their Semantic IDs; those that an earlier table has as they are, from it."""

import numpy as np
import pyarrow as pa

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.earlier import EarlierSids
from semantic_id_ranking.encoding.encode import Encoder


class ItemEncoder:
    """Encodes items, but for those whose Semantic ID is known of the same content embedding.

    Args:
        model_path: Directory of the semantic_id SavedModel.
        space: Its space.
        earlier: Folder that `EarlierWriter` wrote; None: every item is encoded.
    """

    def __init__(self, model_path: str, space: SidSpace, earlier: str | None = None):
        self._space = space
        self._encode = Encoder(model_path)
        self._earlier = None if earlier is None else EarlierSids(earlier, space.levels)

    def __call__(self, item_ids: np.ndarray, embeddings: np.ndarray) -> tuple[pa.Table, int]:
        """Gives items their Semantic IDs.

        Args:
            item_ids: [n] object (str).
            embeddings: float32 [n, D].

        Returns:
            Their table, as `sid_table.to_table` makes it, and how many Semantic IDs were copied.
        """
        digests = sid_table.digest(embeddings)
        if self._earlier is None:
            sids, copied = self._encode(embeddings), 0
        else:
            same, known = self._earlier.find(item_ids, digests)
            sids, copied = np.empty((len(item_ids), self._space.levels), np.int32), len(known)
            sids[same] = known
            if not same.all():
                sids[~same] = self._encode(embeddings[~same])
        return sid_table.to_table(item_ids, sids, digests, self._space), copied
