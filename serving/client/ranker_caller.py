"""What the clients of the SavedModel `ranker` do."""

import collections
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.serving.client.encoder_caller import EncoderCaller
from semantic_id_ranking.serving.client.item_ids import ItemId
from semantic_id_ranking.serving.client.item_ids import to_text
from semantic_id_ranking.serving.client.model_caller import ModelCaller
from semantic_id_ranking.serving.client.model_caller import ServedVersion
from semantic_id_ranking.serving.client.model_caller import SignatureDefs
from semantic_id_ranking.serving.client.rank_signature import RankSignature
from semantic_id_ranking.serving.client.ranking import RankedItem
from semantic_id_ranking.serving.client.ranking import Ranking
from semantic_id_ranking.serving.client.ranking import SortBy
from semantic_id_ranking.serving.client.ranking import Source
from semantic_id_ranking.serving.client.ranking import TopCandidates
from semantic_id_ranking.serving.client.transport import Transport
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import UnknownSpaceError

_SIGNATURE = "rank"
_TOP_K_SIGNATURE = "rank_top_k"
_INDEX = "candidate_index"
_SOURCES: tuple[Source, ...] = ("store", "encoded", "unknown")

RankerVersion = ServedVersion[RankSignature]


class RankerCaller(ModelCaller[RankSignature]):
    """Scores a user's candidates.

    Args:
        transport: How to wait.
        model: Name of the ranker on the server.
        sid_fingerprint: As of `ModelCaller`.
        timeout: Seconds for a call, retries, look-ups and encoding included.
        store: Where Semantic IDs are looked up; None: nowhere.
        encoder: Name of the encoder on the server; None: nothing is encoded.
    """

    def __init__(
        self,
        transport: Transport,
        model: str,
        sid_fingerprint: str | None,
        timeout: float,
        store: SidStore | None,
        encoder: str | None,
    ):
        super().__init__(transport, model, sid_fingerprint, timeout)
        self._given_fingerprint = sid_fingerprint
        self._store = store
        self._encoder = encoder and EncoderCaller(transport, encoder, None, timeout)
        self._counts: collections.Counter[Source] = collections.Counter()

    @property
    def sid_counts(self) -> Mapping[Source, int]:
        """The sum of the `sid_counts` of all rankings so far."""
        with self._lock:
            return {source: self._counts[source] for source in _SOURCES}

    async def item_fields(self) -> tuple[str, ...]:
        """Of "sid", "item_id" and "embedding", what the ranker sees items by."""
        version = await self.served_version(self.require_own_space, self.deadline())
        return version.interface.item_fields

    async def rank(
        self,
        candidate: Mapping[str, Any],
        current: Mapping[str, Any] | None,
        history: Mapping[str, Any] | None,
        context: Mapping[str, Any],
    ) -> dict[str, np.ndarray]:
        """Scores candidates whose Semantic IDs the user has."""

        async def inputs(version: RankerVersion) -> Mapping[str, np.ndarray]:
            return version.interface.inputs(candidate, current, history, context, version.space)

        scores, _ = await self.call(_SIGNATURE, inputs, self.require_own_space, self.deadline())
        return scores

    async def rank_top_k(
        self,
        top_k: int,
        candidate: Mapping[str, Any],
        task: SortBy,
        current: Mapping[str, Any] | None,
        history: Mapping[str, Any] | None,
        context: Mapping[str, Any],
    ) -> TopCandidates:
        """The best of the candidates whose Semantic IDs the user has."""

        async def inputs(version: RankerVersion) -> Mapping[str, np.ndarray]:
            signature = version.interface
            asked = signature.inputs(candidate, current, history, context, version.space)
            return {**asked, **signature.top_k_inputs(top_k, signature.weights(task))}

        outputs, _ = await self.call(
            _TOP_K_SIGNATURE, inputs, self.require_own_space, self.deadline()
        )
        return TopCandidates(outputs.pop(_INDEX), outputs)

    async def rank_items(
        self,
        item_ids: Sequence[ItemId],
        current: ItemId | None,
        history: Sequence[ItemId],
        context: Mapping[str, Any],
        embeddings: Mapping[ItemId, np.ndarray],
        task: SortBy,
        top_k: int | None,
    ) -> Ranking:
        """Scores and sorts candidates by their ids."""
        deadline = self.deadline()
        candidates = [to_text(item) for item in item_ids]
        past = [to_text(item) for item in history]
        present = [] if current is None else [to_text(current)]
        embeddings = {to_text(item): embedding for item, embedding in embeddings.items()}
        row_of = {
            item: row for row, item in enumerate(dict.fromkeys([*candidates, *past, *present]))
        }
        sources: list[Source] = []

        async def inputs(version: RankerVersion) -> Mapping[str, np.ndarray]:
            sids = np.zeros((len(row_of), version.space.levels), np.int32)
            sources.clear()
            if "sid" in version.interface.item_fields:
                sids, found = await self._look_up(version, list(row_of), embeddings, deadline)
                sources.extend(found)

            signature = version.interface
            unknown = np.zeros(signature.embedding_dim, np.float32)

            def fields(items: Sequence[str]) -> dict[str, Any]:
                found = {"item_id": items, "sid": sids[[row_of[item] for item in items]]}
                if signature.embedding_dim:
                    found["embedding"] = np.stack([embeddings.get(i, unknown) for i in items])
                return found

            weights = signature.weights(task)
            asked = signature.inputs(
                fields(candidates),
                fields(present) if present else None,
                fields(past) if past else None,
                context,
                version.space,
            )
            return asked if top_k is None else asked | signature.top_k_inputs(top_k, weights)

        if not candidates:
            version = await self.served_version(self._require_given_space, deadline)
            return Ranking([], {}, version.number)
        name = _SIGNATURE if top_k is None else _TOP_K_SIGNATURE
        scores, version = await self.call(name, inputs, self._require_given_space, deadline)
        if top_k is None:
            order = _best_first(scores, version.interface.weights(task))
            scores = {name: values[order] for name, values in scores.items()}
        else:
            order = scores.pop(_INDEX)
        columns = {name: values.tolist() for name, values in scores.items()}
        items = [
            RankedItem(
                candidates[place],
                {name: values[row] for name, values in columns.items()},
                sources[row_of[candidates[place]]] if sources else None,
            )
            for row, place in enumerate(order.tolist())
        ]
        counts = {source: sources.count(source) for source in _SOURCES} if sources else {}
        with self._lock:
            self._counts.update(counts)
        return Ranking(items, counts, version.number)

    def read_interface(self, signature_defs: SignatureDefs) -> RankSignature:
        """The signature `rank`."""
        return RankSignature(signature_defs[_SIGNATURE])

    def exchanges_sids(self, interface: RankSignature) -> bool:
        """Whether the ranker sees items by their Semantic IDs."""
        return "sid" in interface.item_fields

    def _require_given_space(self, version: RankerVersion) -> None:
        # Semantic IDs that are looked up are of the version's own space, whichever that is.
        if self._given_fingerprint is not None:
            self.require_own_space(version)

    async def _look_up(
        self,
        version: RankerVersion,
        item_ids: Sequence[str],
        embeddings: Mapping[str, np.ndarray],
        deadline: float,
    ) -> tuple[np.ndarray, list[Source]]:
        space = version.space
        sids = np.full((len(item_ids), space.levels), -1, np.int32)
        if self._store:
            sids = await self._stored(self._store, version, item_ids, deadline)
        stored = sids[:, 0] >= 0
        sources: list[Source] = ["store" if one else "unknown" for one in stored.tolist()]
        if not self._encoder:
            return sids, sources
        new = [row for row in np.flatnonzero(~stored).tolist() if item_ids[row] in embeddings]
        if new:
            given = np.stack([embeddings[item_ids[row]] for row in new])
            sids[new] = await self._encoder.encode(
                given, deadline, lambda encoder: _require_same_space(encoder, version)
            )
            for row in new:
                sources[row] = "encoded" if sids[row, 0] >= 0 else "unknown"
        return sids, sources

    async def _stored(
        self, store: SidStore, version: RankerVersion, item_ids: Sequence[str], deadline: float
    ) -> np.ndarray:
        fingerprint = version.space.fingerprint
        try:
            sids = await self._transport.get_sids(store, fingerprint, item_ids, deadline)
        except UnknownSpaceError as error:
            raise SidSpaceMismatchError(
                f"{version} lives in SID space {fingerprint}, but {error}"
            ) from error
        if sids.shape[1] != version.space.levels:
            raise SidSpaceMismatchError(
                f"{version} takes {version.space.levels} codes, but in {store.name} Semantic IDs "
                f"of SID space {fingerprint} have {sids.shape[1]}"
            )
        return sids


def _require_same_space(encoder: ServedVersion[int], ranker: RankerVersion) -> None:
    if encoder.space.fingerprint != ranker.space.fingerprint:
        raise SidSpaceMismatchError(
            f"{encoder} lives in SID space {encoder.space.fingerprint}, but {ranker} in "
            f"{ranker.space.fingerprint}; serve both of one run"
        )


def _best_first(scores: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Places of the candidates, int [N]; equals stay in order."""
    weighted = sum(np.float32(weight) * scores[task] for task, weight in weights.items())
    return np.argsort(-weighted, kind="stable")
