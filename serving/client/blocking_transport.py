"""Operations of the clients in the caller's thread."""

import time
from concurrent import futures
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
from semantic_id_ranking.serving.client.operations import store_threads
from semantic_id_ranking.serving.client.operations import StoreLookup
from semantic_id_ranking.serving.client.tls import ClientTls

Result = TypeVar("Result")


class BlockingTransport:
    """Carries out operations one after the other and blocks the thread; uses no event loop.

    Stores are asked in threads of its own, so that their answer can be given up.

    Args:
        address: host:port, or an open channel, which stays open.
        tls: How to speak TLS, where `address` is host:port.
    """

    def __init__(self, address: str | grpc.Channel, tls: ClientTls | None):
        channel, self._is_own = channel_of(address, tls, open_channel)
        self._channel = channel
        self._methods = methods_of(channel)
        self._store_threads = store_threads()

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
        self._store_threads.shutdown(wait=False, cancel_futures=True)
        if self._is_own:
            self._channel.close()

    def _carry_out(self, operation: Operation) -> Any:
        seconds = operation.deadline - time.monotonic()
        if isinstance(operation, StoreLookup):
            answer = self._store_threads.submit(operation.carry_out)
            try:
                return answer.result(seconds)
            except futures.TimeoutError:
                answer.cancel()
                raise operation.too_late() from None
        if isinstance(operation, Pause):
            return time.sleep(max(0.0, min(operation.seconds, seconds)))
        try:
            return self._methods[operation.method](operation.message, timeout=seconds)
        except grpc.RpcError as error:
            raise connection_failure(self._channel, error) from error
