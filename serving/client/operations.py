"""Input and output that the steps of a call ask for.

What the clients do is written once, in generators without input and output of their own (`Steps`).
They yield an operation, are sent its result or thrown its error, and return the call's result. A
transport carries the operations out: `BlockingTransport` in the caller's thread, `AsyncTransport`
in the event loop.
"""

import dataclasses
from collections.abc import Generator
from collections.abc import Sequence
from concurrent import futures
from typing import Any
from typing import TypeVar

import numpy as np
from google.protobuf.message import Message

from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoredItems
from semantic_id_ranking.serving.store import StoreError

Result = TypeVar("Result")

_STORE_THREADS = 32


@dataclasses.dataclass(frozen=True)
class ModelRequest:
    """A request to a model server; the result is the response, the error a `grpc.RpcError`.

    Attributes:
        method: Method of PredictionService, or GetModelStatus of ModelService.
        message: Its argument.
        deadline: When to give up, in seconds on the clock of `time.monotonic`.
    """

    method: str
    message: Message
    deadline: float


@dataclasses.dataclass(frozen=True)
class StoreLookup:
    """A look-up in a store; the result is a `StoredItems`.

    Attributes:
        store: The store.
        fingerprint: Fingerprint of the SID space.
        item_ids: N items.
        deadline: When to give up, in seconds on the clock of `time.monotonic`.
        width: Counters of an item; None: neither counters nor a user are looked up.
        user: The user; None: none is looked up.
    """

    store: SidStore
    fingerprint: str
    item_ids: Sequence[str]
    deadline: float
    width: int | None = None
    user: str | None = None

    def too_late(self) -> StoreError:
        """The error of a store that has not answered by the deadline."""
        return StoreError(f"{self.store.name}: did not answer before the call's deadline")

    def carry_out(self) -> StoredItems:
        """Asks the store, once."""
        if self.width is not None:
            return self.store.get_items(self.fingerprint, self.item_ids, self.width, self.user)
        sids = self.store.get(self.fingerprint, self.item_ids)
        return StoredItems(sids, np.zeros((len(sids), 0), np.float32), np.zeros(len(sids), bool))


@dataclasses.dataclass(frozen=True)
class Pause:
    """A wait, without a result.

    Attributes:
        seconds: How long, at most.
        deadline: When to give up, in seconds on the clock of `time.monotonic`.
    """

    seconds: float
    deadline: float


def store_threads() -> futures.ThreadPoolExecutor:
    """Threads in which the stores of a client are asked.

    A look-up that is too late is left behind, and its thread with it until the store's own timeout
    is over: threads of the caller, or of an event loop, would be used up by a store that hangs.
    """
    return futures.ThreadPoolExecutor(_STORE_THREADS, thread_name_prefix="sid-store")


Operation = ModelRequest | StoreLookup | Pause
Steps = Generator[Operation, Any, Result]
