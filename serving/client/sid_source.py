"""Semantic IDs of items, from a store or an encoder."""

import dataclasses
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.serving.client.encoder_steps import EncoderSteps
from semantic_id_ranking.serving.client.errors import ServedSpaceError
from semantic_id_ranking.serving.client.item_request import stack_embeddings
from semantic_id_ranking.serving.client.model_steps import ServedVersion
from semantic_id_ranking.serving.client.operations import Steps
from semantic_id_ranking.serving.client.operations import StoreLookup
from semantic_id_ranking.serving.client.rank_signature import RankSignature
from semantic_id_ranking.serving.client.ranking import OnStoreError
from semantic_id_ranking.serving.client.ranking import Source
from semantic_id_ranking.serving.client.store_query import StoreQuery
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoredItems
from semantic_id_ranking.serving.store import StoreError
from semantic_id_ranking.serving.store import UnknownSpaceError

RankerVersion = ServedVersion[RankSignature]


@dataclasses.dataclass(frozen=True)
class FoundItems:
    """Of N items.

    Attributes:
        sids: [N, L] int32, codes -1 for an unknown item.
        sources: The source of each.
        stored: What else the store has of them and of the user; None where it was not asked, or
            did not answer.
        store_error: Why it did not.
    """

    sids: NDArray[Any]
    sources: list[Source]
    stored: StoredItems | None
    store_error: StoreError | None = None


class SidSource:
    """Looks Semantic IDs up, and has the others encoded.

    Args:
        store: Where they are looked up; None: nowhere.
        encoder: Encodes items that the store lacks; None: none does.
        on_store_error: Whether an error of the store is raised, or its items are unknown.
    """

    def __init__(
        self, store: SidStore | None, encoder: EncoderSteps | None, on_store_error: OnStoreError
    ):
        self._store = store
        self._encoder = encoder
        self._raises = on_store_error == "raise"

    def find(
        self,
        ranker: RankerVersion,
        item_ids: Sequence[str],
        embeddings: Mapping[str, NDArray[Any]],
        query: StoreQuery,
        deadline: float,
    ) -> Steps[FoundItems]:
        """Finds the Semantic IDs of items in a ranker's space.

        Args:
            ranker: The ranker.
            item_ids: N items.
            embeddings: item_id -> content embedding [D], of some of them or of others.
            query: What else is asked of the store, in the same round trip.
            deadline: When to give up.

        Raises:
            MissingInputError: The store does not have what is asked of it.
            ServedSpaceError: The store has no such space, or the encoder is of another one.
            StoreError: The store does not answer, and that is to be raised.
            ModelCallError: The encoder does not.
            ValueError: An embedding does not fit the encoder.
        """
        sids = np.full((len(item_ids), ranker.space.levels), -1, np.int32)
        stored, store_error = None, None
        if self._store:
            try:
                stored = yield from self._look_up(self._store, ranker, item_ids, query, deadline)
                sids = stored.sids
            except StoreError as error:
                if self._raises:
                    raise
                store_error = error
        else:
            query.require_store()
        known = sids[:, 0] >= 0
        sources = source_of_stored(sids)
        if not self._encoder:
            return FoundItems(sids, sources, stored, store_error)
        new = [row for row in np.flatnonzero(~known).tolist() if item_ids[row] in embeddings]
        if new:
            items = [item_ids[row] for row in new]
            given = stack_embeddings(items, [embeddings[item] for item in items])
            sids[new] = yield from self._encoder.encode(
                given, deadline, lambda encoder: _require_same_space(encoder, ranker)
            )
            for row in new:
                sources[row] = "encoded" if sids[row, 0] >= 0 else "unknown"
        return FoundItems(sids, sources, stored, store_error)

    def _look_up(
        self,
        store: SidStore,
        ranker: RankerVersion,
        item_ids: Sequence[str],
        query: StoreQuery,
        deadline: float,
    ) -> Steps[StoredItems]:
        fingerprint = ranker.space.fingerprint
        if not self._raises:  # The other half is for the ranker.
            deadline = (time.monotonic() + deadline) / 2
        try:
            found: StoredItems = yield StoreLookup(
                store, fingerprint, item_ids, deadline, query.width, query.user
            )
        except UnknownSpaceError as error:
            raise ServedSpaceError(
                f"{ranker} lives in SID space {fingerprint}, but {error}"
            ) from error
        if found.sids.shape[1] != ranker.space.levels:
            raise ServedSpaceError(
                f"{ranker} takes {ranker.space.levels} codes, but in {store.name} Semantic IDs "
                f"of SID space {fingerprint} have {found.sids.shape[1]}"
            )
        query.require_moment(found, store.name)
        return found


def source_of_stored(sids: NDArray[Any]) -> list[Source]:
    """The source of each of N Semantic IDs [N, L] of a store."""
    return ["store" if known else "unknown" for known in (sids[:, 0] >= 0).tolist()]


def _require_same_space(encoder: ServedVersion[int], ranker: RankerVersion) -> None:
    if encoder.space.fingerprint != ranker.space.fingerprint:
        raise ServedSpaceError(
            f"{encoder} lives in SID space {encoder.space.fingerprint}, but {ranker} in "
            f"{ranker.space.fingerprint}; serve both of one run"
        )
