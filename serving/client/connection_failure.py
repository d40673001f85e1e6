"""Reason of a call's lateness where it is that the server cannot be reached.

A call waits for a connection until its deadline, and then gRPC says no more than that it is late.
"""

import queue
from typing import Any

import grpc
import grpc.aio

# No method of the service configuration: it neither waits for a connection nor is made again.
_METHOD = "/grpc.health.v1.Health/Check"
# Answers come from this machine: the channel is known to have no connection.
_SECONDS = 0.1


def connection_failure(channel: grpc.Channel, late: grpc.RpcError) -> grpc.RpcError:
    """The error to raise for a call that failed.

    Args:
        channel: Its channel.
        late: The call's own error.

    Returns:
        Of a call that was late because there is no connection, an error UNAVAILABLE that says why
        there is none; of any other its own.
    """
    if late.code() != grpc.StatusCode.DEADLINE_EXCEEDED or not _is_failing(_state(channel)):
        return late
    try:
        channel.unary_unary(_METHOD)(b"", timeout=_SECONDS, wait_for_ready=False)
    except grpc.RpcError as error:
        return _more_telling(error, late)
    return late


async def async_connection_failure(channel: grpc.aio.Channel, late: grpc.RpcError) -> grpc.RpcError:
    """`connection_failure` of a channel for asyncio."""
    if late.code() != grpc.StatusCode.DEADLINE_EXCEEDED or not _is_failing(channel.get_state()):
        return late
    try:
        await channel.unary_unary(_METHOD)(b"", timeout=_SECONDS, wait_for_ready=False)
    except grpc.RpcError as error:
        return _more_telling(error, late)
    return late


def _state(channel: grpc.Channel) -> grpc.ChannelConnectivity | None:
    states: queue.SimpleQueue[grpc.ChannelConnectivity] = queue.SimpleQueue()
    tell = states.put
    channel.subscribe(tell)
    try:
        return states.get(timeout=_SECONDS)
    except queue.Empty:
        return None
    finally:
        channel.unsubscribe(tell)


def _is_failing(state: Any) -> bool:
    return state in (
        grpc.ChannelConnectivity.TRANSIENT_FAILURE,
        grpc.ChannelConnectivity.CONNECTING,
    )


def _more_telling(error: grpc.RpcError, late: grpc.RpcError) -> grpc.RpcError:
    return error if error.code() == grpc.StatusCode.UNAVAILABLE else late
