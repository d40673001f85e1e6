"""How a client waits: by blocking its thread, or in an event loop.

The clients' work is written once, in coroutines that ask nothing but a transport to wait. With
`BlockingTransport` such a coroutine never suspends, so that `run` has its result without a loop.
"""

import asyncio
import time
from collections.abc import Coroutine
from collections.abc import Sequence
from typing import Any
from typing import Protocol
from typing import TypeVar

import grpc
import grpc.aio
import numpy as np
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoreError

Result = TypeVar("Result")


class Transport(Protocol):
    """Calls a model server and a store."""

    async def call(self, method: str, request: Any, deadline: float) -> Any:
        """Calls a method of PredictionService.

        Args:
            method: Its name.
            request: The message.
            deadline: On the clock of `time.monotonic`.

        Raises:
            grpc.RpcError: The call fails.
        """

    async def get_sids(
        self, store: SidStore, fingerprint: str, item_ids: Sequence[str], deadline: float
    ) -> np.ndarray:
        """`SidStore.get`."""


class BlockingTransport:
    """Blocks the thread.

    Args:
        channel: To the model server.
    """

    def __init__(self, channel: grpc.Channel):
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    async def call(self, method: str, request: Any, deadline: float) -> Any:
        """Calls a method of PredictionService."""
        return getattr(self._stub, method)(request, timeout=deadline - time.monotonic())

    async def get_sids(
        self, store: SidStore, fingerprint: str, item_ids: Sequence[str], deadline: float
    ) -> np.ndarray:
        """Asks the store, whose own timeout holds."""
        del deadline
        return store.get(fingerprint, item_ids)


class AsyncTransport:
    """Waits in the running event loop; stores are asked in its threads.

    Args:
        channel: To the model server.
    """

    def __init__(self, channel: grpc.aio.Channel):
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    async def call(self, method: str, request: Any, deadline: float) -> Any:
        """Calls a method of PredictionService."""
        return await getattr(self._stub, method)(request, timeout=deadline - time.monotonic())

    async def get_sids(
        self, store: SidStore, fingerprint: str, item_ids: Sequence[str], deadline: float
    ) -> np.ndarray:
        """Asks the store, for as long as its own timeout and the deadline let it."""
        answer = asyncio.to_thread(store.get, fingerprint, item_ids)
        try:
            return await asyncio.wait_for(answer, deadline - time.monotonic())
        except asyncio.TimeoutError:
            raise StoreError(f"{store.name}: did not answer before the call's deadline") from None


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Runs a coroutine that waits by a `BlockingTransport` only, and so never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError("the coroutine waits for something else than a BlockingTransport")
