"""Input and output that the steps of a call ask for.

What the clients do is written once, in generators without input and output of their own (`Steps`).
They yield an operation, are sent its result or thrown its error, and return the call's result. A
transport carries the operations out: `BlockingTransport` in the caller's thread, `AsyncTransport`
in the event loop.
"""

import dataclasses
from collections.abc import Generator
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

from google.protobuf.message import Message

from semantic_id_ranking.serving.store import SidStore

Result = TypeVar("Result")


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
class SidLookup:
    """A look-up in a store; the result is int32 [N, L], as of `SidStore.get`.

    Attributes:
        store: The store.
        fingerprint: Fingerprint of the SID space.
        item_ids: N items.
        deadline: When to give up, in seconds on the clock of `time.monotonic`.
    """

    store: SidStore
    fingerprint: str
    item_ids: Sequence[str]
    deadline: float


@dataclasses.dataclass(frozen=True)
class Pause:
    """A wait, without a result.

    Attributes:
        seconds: How long, at most.
        deadline: When to give up, in seconds on the clock of `time.monotonic`.
    """

    seconds: float
    deadline: float


Operation = ModelRequest | SidLookup | Pause
Steps = Generator[Operation, Any, Result]
