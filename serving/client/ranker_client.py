"""Client of the SavedModel `ranker`."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import grpc
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.blocking_transport import BlockingTransport
from semantic_id_ranking.serving.client.ranker_steps import RankerSteps
from semantic_id_ranking.serving.client.ranking import OnStoreError
from semantic_id_ranking.serving.client.ranking import Ranking
from semantic_id_ranking.serving.client.ranking import SortBy
from semantic_id_ranking.serving.client.ranking import Source
from semantic_id_ranking.serving.client.ranking import TopCandidates
from semantic_id_ranking.serving.client.tls import ClientTls
from semantic_id_ranking.serving.item_ids import ItemEmbeddings
from semantic_id_ranking.serving.item_ids import ItemId
from semantic_id_ranking.serving.store import SidStore


class RankerClient:
    """Scores a user's candidates on a model server.

    Threads may share a client. It uses no event loop, so that it works where one runs. After a
    fork the child opens a client of its own, as gRPC demands.

    Args:
        address: host:port, or a channel opened with `open_channel`, to share it.
        tls: How to speak TLS, where `address` is host:port; None: not at all.
        timeout: Seconds for a call, retries, look-ups and encoding included.
        model: Name of the ranker on the server.
        sid_fingerprint: Fingerprint of the space of the caller's Semantic IDs; a ranker of another
            space is refused. If None, `rank` takes the space that is served at its first use, and
            `rank_items` that of the version that answers.
        store: Where `rank_items` looks Semantic IDs up.
        encoder: Name of the model on the same server that encodes new items; None: none does.
        on_store_error: What becomes of a ranking whose store does not answer. "raise": StoreError.
            "unknown": it gets half of the call's time, and then its items are unknown, its counters
            zeros and its history empty; `store_error_count` counts such rankings.

    Raises:
        ValueError: `timeout` is no finite number above 0, `tls` comes with a channel, or
            `on_store_error` is something else.
        OSError: A file of `tls` cannot be read.

    Example:
        ```
        with open_store("redis://localhost:6379/0") as store:
            with RankerClient("localhost:8500", store=store) as ranker:
                ranking = ranker.rank_items(["item1", "item2"], history=["item3"], task="click")
                ranking.items[0].scores["click"]
        ```
    """

    def __init__(
        self,
        address: str | grpc.Channel,
        *,
        tls: ClientTls | None = None,
        timeout: float = 5.0,
        model: str = "ranker",
        sid_fingerprint: str | None = None,
        store: SidStore | None = None,
        encoder: str | None = "semantic_id",
        on_store_error: OnStoreError = "raise",
    ):
        self._steps = RankerSteps(model, sid_fingerprint, timeout, store, encoder, on_store_error)
        self._transport = BlockingTransport(address, tls)

    def space(self) -> SidSpace:
        """The SID space of the served model; the first use asks the server.

        Raises:
            ServedSpaceError: It is not the space of the caller's Semantic IDs.
            ModelCallError: The server does not answer.
        """
        return self._transport.run(self._steps.space())

    def item_fields(self) -> tuple[str, ...]:
        """The fields by which the ranker represents items, of "sid", "item_id" and "embedding".

        The first use asks the server.

        Raises:
            ServedSpaceError: The ranker takes Semantic IDs of another space than the caller's.
            ModelCallError: The server does not answer.
        """
        return self._transport.run(self._steps.item_fields())

    @property
    def sid_counts(self) -> Mapping[Source, int]:
        """The sum of the `sid_counts` of all rankings so far, to watch the unknown items."""
        return self._steps.sid_counts

    @property
    def store_error_count(self) -> int:
        """Rankings so far that were made without the store's answer; see `on_store_error`."""
        return self._steps.store_error_count

    def rank(
        self,
        candidate: Mapping[str, Any],
        *,
        current: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Scores candidates whose Semantic IDs the caller has.

        A ranker takes `sid`, `item_id` or `embedding` (see `item_fields`) and its own context
        columns; what it does not ask for is passed over, so that one call fits a ranker and the
        baseline it replaces.

        Args:
            candidate: `sid` [N, L] integers, `item_id` [N] strings, UTF-8 bytes or integers, and/or
                `embedding` [N, D] numbers. Codes -1 stand for an item without a Semantic ID, zeros
                for one without an embedding.
            current: The same for the item the user looks at: `sid` [L], `item_id` one, `embedding`
                [D]. None: there is none.
            history: The same for the user's past, most recent first: `sid` [T, L], `item_id` [T],
                `embedding` [T, D]; and, where the ranker reads the labels of its impressions,
                `labels`, a mapping from task to [T] numbers, NaN or None for none. None: there is
                none.
            context: Context columns: one value, or one for each candidate; a value of counters is
                a list. None: there are none.

        Returns:
            Scores of each task, float32 [N]: probabilities of binary tasks, values of others.

        Raises:
            MissingInputError: The ranker asks for a field or a column that is left out.
            ValueError: A shape, a code or a type does not fit.
            ServedSpaceError: The ranker takes Semantic IDs of another space.
            ModelCallError: The server refuses, or does not answer in time.

        Example:
            `ranker.rank({"sid": [[3, 1, 4]]}, context={"country": "de"})["click"]`
        """
        return self._transport.run(self._steps.rank(candidate, current, history, context))

    def rank_top_k(
        self,
        candidate: Mapping[str, Any],
        *,
        current: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        task: SortBy = None,
        top_k: int,
    ) -> TopCandidates:
        """The best of the candidates, which the server sorts: only their scores are sent back.

        Args:
            candidate: As of `rank`, with the rest.
            current: The item the user looks at.
            history: The user's past.
            context: Context columns.
            task: What sorts; may be left out if the ranker has one task.
            top_k: How many, at most.

        Returns:
            The positions of the best, int32 [k], and their scores, float32 [k] a task.

        Raises:
            ValueError: Besides what `rank` raises: `top_k` is no integer of 1 or more, or `task`
                names no task of the ranker.
            ModelCallError: As of `rank`; FAILED_PRECONDITION from a ranker that does not have the
                signature `rank_top_k`.

        Example:
            `ranker.rank_top_k({"sid": sids}, task="click", top_k=10).index`
        """
        return self._transport.run(
            self._steps.rank_top_k(candidate, current, history, context, task, top_k)
        )

    def rank_items(
        self,
        item_ids: Sequence[ItemId],
        *,
        user: ItemId | None = None,
        current: ItemId | None = None,
        history: Sequence[ItemId] | None = None,
        history_labels: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        embeddings: ItemEmbeddings | None = None,
        task: SortBy = None,
        top_k: int | None = None,
    ) -> Ranking:
        """Ranks candidates by their ids.

        Semantic IDs come from the store, out of the namespace of the ranker's own space. An item
        that is not there is encoded, if its embedding is given (one request for all of them); it is
        unknown otherwise, and counted.

        The same round trip reads counters of the items and, of a user, history and counters, as the
        last release put them there; what `history` and `context` hold is not read. A user whom the
        store does not know has an empty history and zeros, as has an item without counters.

        Args:
            item_ids: N candidates; an integer stands for its decimal digits, bytes for text, as
                wherever ids are taken.
            user: The user whose history and counters the store has; None: they are not read.
            current: The item the user looks at; None: there is none.
            history: The user's past items, most recent first; None: there are none, or, of a
                `user`, those that the store has.
            history_labels: task -> a label of each of `history`, NaN or None for none, where the
                ranker reads them; the store has those of its own histories.
            context: Context columns: one value, or one for each candidate; a value of counters is
                a list. None: there are none.
            embeddings: item_id -> content embedding [D], of items that the store may not have; of
                all items where the ranker sees them by their embeddings: another is no item to it.
            task: What sorts; may be left out if the ranker has one task.
            top_k: How many candidates to give, at most; the server then sorts. None: all.

        Returns:
            The candidates, best first.

        Raises:
            MissingInputError: The ranker asks for a context column or labels of the history that
                are left out, or `user` is given and the store has no users of the ranker's space,
                or counters or histories of other tasks.
            ValueError: A shape or a type does not fit, an id is of another type, `top_k` is no
                integer of 1 or more, or the ranker has several tasks and `task` names none of them.
            ServedSpaceError: The store holds no Semantic IDs of the ranker's space, the encoder is
                of another one, or the space is not `sid_fingerprint`.
            StoreError: The store does not answer in time, and `on_store_error` is "raise".
            ModelCallError: The server refuses, or does not answer in time.

        Example:
            `ranker.rank_items([7, "8"], history=["9"], task="click").items[0].item_id`
        """
        return self._transport.run(
            self._steps.rank_items(
                item_ids,
                user,
                current,
                history,
                history_labels,
                context,
                embeddings,
                task,
                top_k,
            )
        )

    def close(self) -> None:
        """Closes the channel, if this client opened it; the store stays open."""
        self._transport.close()

    def __enter__(self) -> "RankerClient":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
