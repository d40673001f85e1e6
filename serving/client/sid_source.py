"""Semantic IDs of items, from a store or an encoder."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.serving.client.encoder_steps import EncoderSteps
from semantic_id_ranking.serving.client.errors import ServedSpaceError
from semantic_id_ranking.serving.client.item_request import stack_embeddings
from semantic_id_ranking.serving.client.model_steps import ServedVersion
from semantic_id_ranking.serving.client.operations import SidLookup
from semantic_id_ranking.serving.client.operations import Steps
from semantic_id_ranking.serving.client.rank_signature import RankSignature
from semantic_id_ranking.serving.client.ranking import Source
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import UnknownSpaceError

RankerVersion = ServedVersion[RankSignature]


class SidSource:
    """Looks Semantic IDs up, and has the others encoded.

    Args:
        store: Where they are looked up; None: nowhere.
        encoder: Encodes items that the store lacks; None: none does.
    """

    def __init__(self, store: SidStore | None, encoder: EncoderSteps | None):
        self._store = store
        self._encoder = encoder

    def find(
        self,
        ranker: RankerVersion,
        item_ids: Sequence[str],
        embeddings: Mapping[str, NDArray[Any]],
        deadline: float,
    ) -> Steps[tuple[NDArray[Any], list[Source]]]:
        """Finds the Semantic IDs of items in a ranker's space.

        Args:
            ranker: The ranker.
            item_ids: N items.
            embeddings: item_id -> content embedding [D], of some of them or of others.
            deadline: When to give up.

        Returns:
            [N, L] int32, codes -1 for an unknown item; and the source of each, N long.

        Raises:
            ServedSpaceError: The store has no such space, or the encoder is of another one.
            StoreError: The store does not answer.
            ModelCallError: The encoder does not.
            ValueError: An embedding does not fit the encoder.
        """
        sids = np.full((len(item_ids), ranker.space.levels), -1, np.int32)
        if self._store:
            sids = yield from self._look_up(self._store, ranker, item_ids, deadline)
        stored = sids[:, 0] >= 0
        sources: list[Source] = ["store" if one else "unknown" for one in stored.tolist()]
        if not self._encoder:
            return sids, sources
        new = [row for row in np.flatnonzero(~stored).tolist() if item_ids[row] in embeddings]
        if new:
            items = [item_ids[row] for row in new]
            given = stack_embeddings(items, [embeddings[item] for item in items])
            sids[new] = yield from self._encoder.encode(
                given, deadline, lambda encoder: _require_same_space(encoder, ranker)
            )
            for row in new:
                sources[row] = "encoded" if sids[row, 0] >= 0 else "unknown"
        return sids, sources

    def _look_up(
        self, store: SidStore, ranker: RankerVersion, item_ids: Sequence[str], deadline: float
    ) -> Steps[NDArray[Any]]:
        fingerprint = ranker.space.fingerprint
        try:
            sids: NDArray[np.int32] = yield SidLookup(store, fingerprint, item_ids, deadline)
        except UnknownSpaceError as error:
            raise ServedSpaceError(
                f"{ranker} lives in SID space {fingerprint}, but {error}"
            ) from error
        if sids.shape[1] != ranker.space.levels:
            raise ServedSpaceError(
                f"{ranker} takes {ranker.space.levels} codes, but in {store.name} Semantic IDs "
                f"of SID space {fingerprint} have {sids.shape[1]}"
            )
        return sids


def _require_same_space(encoder: ServedVersion[int], ranker: RankerVersion) -> None:
    if encoder.space.fingerprint != ranker.space.fingerprint:
        raise ServedSpaceError(
            f"{encoder} lives in SID space {encoder.space.fingerprint}, but {ranker} in "
            f"{ranker.space.fingerprint}; serve both of one run"
        )
