"""Client of the SavedModel `ranker` for asyncio."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import grpc.aio
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.async_transport import AsyncTransport
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


class AsyncRankerClient:
    """`RankerClient` with coroutines; arguments, results and errors are the same.

    It belongs to the event loop that runs when it is made. Any number of calls may be in flight.
    The store is asked in threads of the client's own.

    Args:
        address: host:port, or a channel opened with `open_async_channel`, to share it.
        tls: As of `RankerClient`.
        timeout: As of `RankerClient`.
        model: As of `RankerClient`.
        sid_fingerprint: As of `RankerClient`.
        store: As of `RankerClient`.
        encoder: As of `RankerClient`.
        on_store_error: As of `RankerClient`.

    Raises:
        ValueError: As of `RankerClient`.
        OSError: As of `RankerClient`.

    Example:
        ```
        async with AsyncRankerClient("localhost:8500", store=store) as ranker:
            one, two = await asyncio.gather(
                ranker.rank_items(["item1", "item2"], task="click"),
                ranker.rank_items(["item3"], task="click"),
            )
        ```
    """

    def __init__(
        self,
        address: str | grpc.aio.Channel,
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
        self._transport = AsyncTransport(address, tls)

    async def space(self) -> SidSpace:
        """See `RankerClient.space`."""
        return await self._transport.run(self._steps.space())

    async def item_fields(self) -> tuple[str, ...]:
        """See `RankerClient.item_fields`."""
        return await self._transport.run(self._steps.item_fields())

    @property
    def sid_counts(self) -> Mapping[Source, int]:
        """See `RankerClient.sid_counts`."""
        return self._steps.sid_counts

    @property
    def store_error_count(self) -> int:
        """See `RankerClient.store_error_count`."""
        return self._steps.store_error_count

    async def rank(
        self,
        candidate: Mapping[str, Any],
        *,
        current: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """See `RankerClient.rank`."""
        return await self._transport.run(self._steps.rank(candidate, current, history, context))

    async def rank_top_k(
        self,
        candidate: Mapping[str, Any],
        *,
        current: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        task: SortBy = None,
        top_k: int,
    ) -> TopCandidates:
        """See `RankerClient.rank_top_k`."""
        return await self._transport.run(
            self._steps.rank_top_k(candidate, current, history, context, task, top_k)
        )

    async def rank_items(
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
        """See `RankerClient.rank_items`."""
        return await self._transport.run(
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

    async def close(self) -> None:
        """Closes the channel, if this client opened it; the store stays open."""
        await self._transport.close()

    async def __aenter__(self) -> "AsyncRankerClient":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
