"""Client of the SavedModel `semantic_id` for asyncio."""

import grpc.aio
import numpy as np

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.channel import open_async_channel
from semantic_id_ranking.serving.client.encoder_caller import EncoderCaller
from semantic_id_ranking.serving.client.tls import ClientTls
from semantic_id_ranking.serving.client.transport import AsyncTransport


class AsyncEncoderClient:
    """`EncoderClient` with coroutines; arguments, results and errors are the same.

    It belongs to the event loop that runs when it is made. Any number of calls may be in flight.
    """

    def __init__(
        self,
        server: str | grpc.aio.Channel,
        model: str = "semantic_id",
        sid_fingerprint: str | None = None,
        timeout: float = 5.0,
        tls: ClientTls | None = None,
    ):
        self._own_channel = open_async_channel(server, tls) if isinstance(server, str) else None
        transport = AsyncTransport(self._own_channel or server)
        self._caller = EncoderCaller(transport, model, sid_fingerprint, timeout)

    async def space(self) -> SidSpace:
        """As `EncoderClient.space`."""
        return await self._caller.space()

    async def encode(self, embeddings: np.ndarray) -> np.ndarray:
        """As `EncoderClient.encode`."""
        return await self._caller.encode(embeddings)

    async def close(self) -> None:
        """Closes the channel, if this client opened it."""
        if self._own_channel:
            await self._own_channel.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
