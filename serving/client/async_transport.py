"""Operations of the clients in an event loop."""

import asyncio
import time
from typing import Any
from typing import TypeVar

import grpc.aio

from semantic_id_ranking.serving.client.channel import channel_of
from semantic_id_ranking.serving.client.channel import methods_of
from semantic_id_ranking.serving.client.channel import open_async_channel
from semantic_id_ranking.serving.client.connection_failure import async_connection_failure
from semantic_id_ranking.serving.client.operations import Operation
from semantic_id_ranking.serving.client.operations import Pause
from semantic_id_ranking.serving.client.operations import Steps
from semantic_id_ranking.serving.client.operations import store_threads
from semantic_id_ranking.serving.client.operations import StoreLookup
from semantic_id_ranking.serving.client.tls import ClientTls

Result = TypeVar("Result")


class AsyncTransport:
    """Awaits operations in the running event loop; stores are asked in threads of its own.

    Args:
        address: host:port, or an open channel, which stays open.
        tls: How to speak TLS, where `address` is host:port.
    """

    def __init__(self, address: str | grpc.aio.Channel, tls: ClientTls | None):
        channel, self._is_own = channel_of(address, tls, open_async_channel)
        self._channel = channel
        self._methods = methods_of(channel)
        self._store_threads = store_threads()

    async def run(self, steps: Steps[Result]) -> Result:
        """Runs the steps of a call to their result."""
        try:
            operation = next(steps)
            while True:
                try:
                    result = await self._carry_out(operation)
                except Exception as error:
                    operation = steps.throw(error)
                else:
                    operation = steps.send(result)
        except StopIteration as stop:
            returned: Result = stop.value
            return returned

    async def close(self) -> None:
        """Closes the channel, if this transport opened it."""
        self._store_threads.shutdown(wait=False, cancel_futures=True)
        if self._is_own:
            await self._channel.close()

    async def _carry_out(self, operation: Operation) -> Any:
        seconds = operation.deadline - time.monotonic()
        if isinstance(operation, Pause):
            return await asyncio.sleep(max(0.0, min(operation.seconds, seconds)))
        if not isinstance(operation, StoreLookup):
            try:
                return await self._methods[operation.method](operation.message, timeout=seconds)
            except grpc.RpcError as error:
                raise await async_connection_failure(self._channel, error) from error
        answer = asyncio.wrap_future(self._store_threads.submit(operation.carry_out))
        try:
            return await asyncio.wait_for(answer, seconds)
        except asyncio.TimeoutError:
            raise operation.too_late() from None
