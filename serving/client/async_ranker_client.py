"""Client of the SavedModel `ranker` for asyncio."""

from collections.abc import Mapping
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import grpc.aio
import numpy as np

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.channel import open_async_channel
from semantic_id_ranking.serving.client.item_ids import ItemId
from semantic_id_ranking.serving.client.ranker_caller import RankerCaller
from semantic_id_ranking.serving.client.ranking import Ranking
from semantic_id_ranking.serving.client.ranking import SortBy
from semantic_id_ranking.serving.client.ranking import Source
from semantic_id_ranking.serving.client.ranking import TopCandidates
from semantic_id_ranking.serving.client.tls import ClientTls
from semantic_id_ranking.serving.client.transport import AsyncTransport
from semantic_id_ranking.serving.store import SidStore

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class AsyncRankerClient:
    """`RankerClient` with coroutines; arguments, results and errors are the same.

    It belongs to the event loop that runs when it is made. Any number of calls may be in flight.

    Example:
        ```
        async with AsyncRankerClient("localhost:8500", store=store) as ranker:
            one, two = await asyncio.gather(ranker.rank_items(a), ranker.rank_items(b))
        ```
    """

    def __init__(
        self,
        server: str | grpc.aio.Channel,
        model: str = "ranker",
        sid_fingerprint: str | None = None,
        timeout: float = 5.0,
        store: SidStore | None = None,
        encoder: str | None = "semantic_id",
        tls: ClientTls | None = None,
    ):
        self._own_channel = open_async_channel(server, tls) if isinstance(server, str) else None
        transport = AsyncTransport(self._own_channel or server)
        self._caller = RankerCaller(transport, model, sid_fingerprint, timeout, store, encoder)

    async def space(self) -> SidSpace:
        """As `RankerClient.space`."""
        return await self._caller.space()

    async def item_fields(self) -> tuple[str, ...]:
        """As `RankerClient.item_fields`."""
        return await self._caller.item_fields()

    @property
    def sid_counts(self) -> Mapping[Source, int]:
        """As `RankerClient.sid_counts`."""
        return self._caller.sid_counts

    async def rank(
        self,
        candidate: Mapping[str, Any],
        current: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] = _NOTHING,
    ) -> dict[str, np.ndarray]:
        """As `RankerClient.rank`."""
        return await self._caller.rank(candidate, current, history, context)

    async def rank_top_k(
        self,
        top_k: int,
        candidate: Mapping[str, Any],
        current: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] = _NOTHING,
        *,
        task: SortBy = None,
    ) -> TopCandidates:
        """As `RankerClient.rank_top_k`."""
        return await self._caller.rank_top_k(top_k, candidate, task, current, history, context)

    async def rank_items(
        self,
        item_ids: Sequence[ItemId],
        *,
        current: ItemId | None = None,
        history: Sequence[ItemId] = (),
        context: Mapping[str, Any] = _NOTHING,
        embeddings: Mapping[ItemId, np.ndarray] = _NOTHING,
        task: SortBy = None,
        top_k: int | None = None,
    ) -> Ranking:
        """As `RankerClient.rank_items`."""
        return await self._caller.rank_items(
            item_ids, current, history, context, embeddings, task, top_k
        )

    async def close(self) -> None:
        """Closes the channel, if this client opened it; the store stays open."""
        if self._own_channel:
            await self._own_channel.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
