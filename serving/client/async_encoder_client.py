"""Client of the SavedModel `semantic_id` for asyncio."""

import grpc.aio
import numpy as np
from numpy.typing import ArrayLike
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.async_transport import AsyncTransport
from semantic_id_ranking.serving.client.encoder_steps import EncoderSteps
from semantic_id_ranking.serving.client.tls import ClientTls


class AsyncEncoderClient:
    """`EncoderClient` with coroutines; arguments, results and errors are the same.

    It belongs to the event loop that runs when it is made. Any number of calls may be in flight.

    Args:
        address: host:port, or a channel opened with `open_async_channel`, to share it.
        tls: As of `EncoderClient`.
        timeout: As of `EncoderClient`.
        model: As of `EncoderClient`.
        sid_fingerprint: As of `EncoderClient`.

    Raises:
        ValueError: As of `EncoderClient`.
        OSError: As of `EncoderClient`.

    Example:
        ```
        async with AsyncEncoderClient("localhost:8500") as encoder:
            sids = await encoder.encode(np.zeros((2, 512), np.float32))  # int32 [2, L]
        ```
    """

    def __init__(
        self,
        address: str | grpc.aio.Channel,
        *,
        tls: ClientTls | None = None,
        timeout: float = 5.0,
        model: str = "semantic_id",
        sid_fingerprint: str | None = None,
    ):
        self._steps = EncoderSteps(model, sid_fingerprint, timeout)
        self._transport = AsyncTransport(address, tls)

    async def space(self) -> SidSpace:
        """See `EncoderClient.space`."""
        return await self._transport.run(self._steps.space())

    async def encode(self, embeddings: ArrayLike) -> NDArray[np.int32]:
        """See `EncoderClient.encode`: float [N, D] to int32 [N, L]."""
        return await self._transport.run(self._steps.encode(embeddings))

    async def close(self) -> None:
        """Closes the channel, if this client opened it."""
        await self._transport.close()

    async def __aenter__(self) -> "AsyncEncoderClient":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
