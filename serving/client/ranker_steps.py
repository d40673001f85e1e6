"""Steps of a call to the SavedModel `ranker`."""

import collections
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.serving.client.arguments import require_mapping
from semantic_id_ranking.serving.client.arguments import require_on_store_error
from semantic_id_ranking.serving.client.arguments import require_top_k
from semantic_id_ranking.serving.client.encoder_steps import EncoderSteps
from semantic_id_ranking.serving.client.errors import MissingInputError
from semantic_id_ranking.serving.client.item_request import ItemRequest
from semantic_id_ranking.serving.client.model_steps import ModelSteps
from semantic_id_ranking.serving.client.model_steps import SignatureDefs
from semantic_id_ranking.serving.client.operations import Steps
from semantic_id_ranking.serving.client.rank_signature import RankSignature
from semantic_id_ranking.serving.client.ranking import OnStoreError
from semantic_id_ranking.serving.client.ranking import RankedItem
from semantic_id_ranking.serving.client.ranking import Ranking
from semantic_id_ranking.serving.client.ranking import SortBy
from semantic_id_ranking.serving.client.ranking import Source
from semantic_id_ranking.serving.client.ranking import TopCandidates
from semantic_id_ranking.serving.client.sid_source import FoundItems
from semantic_id_ranking.serving.client.sid_source import RankerVersion
from semantic_id_ranking.serving.client.sid_source import SidSource
from semantic_id_ranking.serving.client.sid_source import source_of_stored
from semantic_id_ranking.serving.client.store_query import StoreQuery
from semantic_id_ranking.serving.item_ids import ItemEmbeddings
from semantic_id_ranking.serving.item_ids import ItemId
from semantic_id_ranking.serving.item_ids import to_texts
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoreError

_SIGNATURE = "rank"
_TOP_K_SIGNATURE = "rank_top_k"
_INDEX = "candidate_index"
_SOURCES: tuple[Source, ...] = ("store", "encoded", "unknown")


class RankerSteps(ModelSteps[RankSignature]):
    """Scores a user's candidates.

    Args:
        model: Name of the ranker on the server.
        sid_fingerprint: As of `ModelSteps`.
        timeout: Seconds for a call, retries, look-ups and encoding included.
        store: Where Semantic IDs are looked up; None: nowhere.
        encoder: Name of the encoder on the server; None: nothing is encoded.
        on_store_error: What becomes of a ranking whose store does not answer.

    Raises:
        ValueError: As of `ModelSteps`, or `on_store_error` is something else.
    """

    def __init__(
        self,
        model: str,
        sid_fingerprint: str | None,
        timeout: float,
        store: SidStore | None,
        encoder: str | None,
        on_store_error: OnStoreError,
    ):
        super().__init__(model, sid_fingerprint, timeout)
        require_on_store_error(on_store_error)
        self._given_fingerprint = sid_fingerprint
        encoder_steps = EncoderSteps(encoder, None, timeout) if encoder else None
        self._sids = SidSource(store, encoder_steps, on_store_error)
        self._counts: collections.Counter[Source] = collections.Counter()
        self._store_errors = 0

    @property
    def sid_counts(self) -> Mapping[Source, int]:
        """The sum of the `sid_counts` of all rankings so far."""
        with self._lock:
            return {source: self._counts[source] for source in _SOURCES}

    @property
    def store_error_count(self) -> int:
        """Rankings so far that were made without the store's answer."""
        with self._lock:
            return self._store_errors

    def item_fields(self) -> Steps[tuple[str, ...]]:
        """The fields by which the ranker represents items, of "sid", "item_id" and "embedding"."""
        version = yield from self.served_version(self.require_own_space, self.deadline())
        return version.interface.item_fields

    def rank(
        self,
        candidate: Mapping[str, Any],
        current: Mapping[str, Any] | None,
        history: Mapping[str, Any] | None,
        context: Mapping[str, Any] | None,
    ) -> Steps[dict[str, NDArray[Any]]]:
        """Scores candidates whose Semantic IDs the user has."""

        def inputs(version: RankerVersion) -> Steps[dict[str, NDArray[Any]]]:
            yield from ()  # It takes no input or output.
            return version.interface.inputs(candidate, current, history, context, version.space)

        scores, _ = yield from self.call(
            _SIGNATURE, inputs, self.require_own_space, self.deadline()
        )
        return scores

    def rank_top_k(
        self,
        candidate: Mapping[str, Any],
        current: Mapping[str, Any] | None,
        history: Mapping[str, Any] | None,
        context: Mapping[str, Any] | None,
        task: SortBy,
        top_k: int,
    ) -> Steps[TopCandidates]:
        """The best of the candidates whose Semantic IDs the user has."""
        require_top_k(top_k)

        def inputs(version: RankerVersion) -> Steps[dict[str, NDArray[Any]]]:
            yield from ()  # It takes no input or output.
            signature = version.interface
            asked = signature.inputs(candidate, current, history, context, version.space)
            return asked | signature.top_k_inputs(top_k, signature.weights(task))

        outputs, _ = yield from self.call(
            _TOP_K_SIGNATURE, inputs, self.require_own_space, self.deadline()
        )
        return TopCandidates(outputs.pop(_INDEX), outputs)

    def rank_items(
        self,
        item_ids: Sequence[ItemId],
        user: ItemId | None,
        current: ItemId | None,
        history: Sequence[ItemId] | None,
        history_labels: Mapping[str, Any] | None,
        context: Mapping[str, Any] | None,
        embeddings: ItemEmbeddings | None,
        task: SortBy,
        top_k: int | None,
    ) -> Steps[Ranking]:
        """Scores and sorts candidates by their ids."""
        deadline = self.deadline()
        request = ItemRequest(item_ids, current, history, history_labels, embeddings)
        (user_id,) = [None] if user is None else to_texts("user", [user])
        context = {} if context is None else context
        require_mapping("context", context)
        if top_k is not None:
            require_top_k(top_k)
        if not request.candidates:
            version = yield from self.served_version(self._require_given_space, deadline)
            return Ranking([], {}, version.number)
        source_of: dict[str, Source] = {}
        store_error: StoreError | None = None

        def inputs(version: RankerVersion) -> Steps[dict[str, NDArray[Any]]]:
            nonlocal store_error
            signature = version.interface
            weights = signature.weights(task)
            query = StoreQuery(
                signature.context_widths,
                signature.history_tasks,
                context,
                history is not None,
                user_id,
            )
            asked, columns, sids = request, context, None
            source_of.clear()
            store_error = None
            if "sid" in signature.item_fields or query.width is not None:
                found = yield from self._sids.find(
                    version, list(request.row_of), request.embeddings, query, deadline
                )
                store_error = found.store_error
                asked, sids, sources = _with_history(request, found, query, signature)
                rows = [request.row_of[item] for item in request.candidates]
                if found.stored is not None and query.width is not None:
                    columns = {**context, **query.columns(found.stored, rows, sids[rows])}
                elif found.store_error is not None:
                    columns = {**context, **query.columns_of_nothing(sids[rows])}
                if "sid" in signature.item_fields:
                    source_of.update(zip(asked.row_of, sources, strict=True))

            def fields(items: Sequence[str]) -> dict[str, Any]:
                return asked.fields(items, sids, signature.embedding_dim)

            past = None
            if asked.history:
                past = {**fields(asked.history), "labels": asked.history_labels}
            made = signature.inputs(
                fields(asked.candidates),
                fields(asked.current) if asked.current else None,
                past,
                columns,
                version.space,
            )
            return made if top_k is None else made | signature.top_k_inputs(top_k, weights)

        name = _SIGNATURE if top_k is None else _TOP_K_SIGNATURE
        outputs, version = yield from self.call(name, inputs, self._require_given_space, deadline)
        if top_k is None:
            order = _best_first(outputs, version.interface.weights(task))
            outputs = {name: scores[order] for name, scores in outputs.items()}
        else:
            order = outputs.pop(_INDEX)
        sources = list(source_of.values())
        counts = {source: sources.count(source) for source in _SOURCES} if sources else {}
        with self._lock:
            self._counts.update(counts)
            self._store_errors += store_error is not None
        ranked = [request.candidates[position] for position in order.tolist()]
        items = _ranked_items(ranked, outputs, source_of)
        return Ranking(items, counts, version.number, store_error)

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


def _with_history(
    request: ItemRequest, found: FoundItems, query: StoreQuery, signature: RankSignature
) -> tuple[ItemRequest, NDArray[Any], list[Source]]:
    """The request with the history of its user, and the Semantic IDs and sources of its items."""
    if not query.reads_history or found.stored is None:
        return request, found.sids, found.sources
    record = query.record(found.stored, found.sids.shape[1])
    if signature.embedding_dim and record.item_ids:
        raise MissingInputError(
            "the ranker sees items by their embeddings, which a store does not have; give history "
            "and embeddings of its items"
        )
    labels = query.history_labels(found.stored, record)
    asked = request.with_history(record.item_ids, labels)
    at = {item: row for row, item in enumerate(record.item_ids)}
    sids = record.sids[[at[item] for item in asked.row_of if item not in request.row_of]]
    both = np.concatenate([found.sids, sids])
    return asked, both, [*found.sources, *source_of_stored(sids)]


def _best_first(scores: Mapping[str, NDArray[Any]], weights: Mapping[str, float]) -> NDArray[Any]:
    """Positions of the candidates, int [N]; equals stay in order."""
    weighted = sum(np.float32(weight) * scores[task] for task, weight in weights.items())
    return np.argsort(-weighted, kind="stable")


def _ranked_items(
    item_ids: Sequence[str], scores: Mapping[str, NDArray[Any]], source_of: Mapping[str, Source]
) -> list[RankedItem]:
    columns = {task: values.tolist() for task, values in scores.items()}
    return [
        RankedItem(
            item, {task: column[row] for task, column in columns.items()}, source_of.get(item)
        )
        for row, item in enumerate(item_ids)
    ]
