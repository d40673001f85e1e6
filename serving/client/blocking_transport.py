"""Operations of the clients in the caller's thread."""

import time
from typing import Any
from typing import TypeVar

import grpc

from semantic_id_ranking.serving.client.channel import channel_of
from semantic_id_ranking.serving.client.channel import methods_of
from semantic_id_ranking.serving.client.channel import open_channel
from semantic_id_ranking.serving.client.connection_failure import connection_failure
from semantic_id_ranking.serving.client.operations import Operation
from semantic_id_ranking.serving.client.operations import Pause
from semantic_id_ranking.serving.client.operations import Steps
from semantic_id_ranking.serving.client.operations import StoreLookup
from semantic_id_ranking.serving.client.tls import ClientTls

Result = TypeVar("Result")


class BlockingTransport:
    """Carries out operations one after the other and blocks the thread; uses no event loop.

    Args:
        address: host:port, or an open channel, which stays open.
        tls: How to speak TLS, where `address` is host:port.
    """

    def __init__(self, address: str | grpc.Channel, tls: ClientTls | None):
        channel, self._is_own = channel_of(address, tls, open_channel)
        self._channel = channel
        self._methods = methods_of(channel)

    def run(self, steps: Steps[Result]) -> Result:
        """Runs the steps of a call to their result."""
        try:
            operation = next(steps)
            while True:
                try:
                    result = self._carry_out(operation)
                except Exception as error:
                    operation = steps.throw(error)
                else:
                    operation = steps.send(result)
        except StopIteration as stop:
            returned: Result = stop.value
            return returned

    def close(self) -> None:
        """Closes the channel, if this transport opened it."""
        if self._is_own:
            self._channel.close()

    def _carry_out(self, operation: Operation) -> Any:
        if isinstance(operation, StoreLookup):  # The store's own timeout holds.
            return operation.carry_out()
        seconds = operation.deadline - time.monotonic()
        if isinstance(operation, Pause):
            return time.sleep(max(0.0, min(operation.seconds, seconds)))
        try:
            return self._methods[operation.method](operation.message, timeout=seconds)
        except grpc.RpcError as error:
            raise connection_failure(self._channel, error) from error
