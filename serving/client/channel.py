"""Channels to a model server."""

import json
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from semantic_id_ranking.serving.client import messages
from semantic_id_ranking.serving.client.tls import ClientTls
from semantic_id_ranking.serving.grpc_options import MAX_MESSAGE_BYTES
from semantic_id_ranking.serving.grpc_options import MESSAGE_LIMITS

_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": "tensorflow.serving.PredictionService"},
                {"service": "tensorflow.serving.ModelService"},
            ],
            "waitForReady": True,
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                # gRPC's servers, TensorFlow Serving too, answer CANCELLED to a request that arrives
                # while they stop and before the client knows of it.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
    # A failure takes a token, a success gives a tenth of one; half of them have to be there for a
    # retry. So a server in trouble gets a tenth more calls, and ten at first.
    "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1},
}
_METHODS = (
    ("PredictionService", "Predict", messages.PredictRequest, messages.PredictResponse),
    (
        "PredictionService",
        "GetModelMetadata",
        messages.GetModelMetadataRequest,
        messages.GetModelMetadataResponse,
    ),
    (
        "ModelService",
        "GetModelStatus",
        messages.GetModelStatusRequest,
        messages.GetModelStatusResponse,
    ),
)
_OPTIONS = (
    *MESSAGE_LIMITS,
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # A request larger than this (256 KiB, if not said) is not kept for a retry.
    ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),
    # A server that is back is found within a second, however long it was away; the default waits up
    # to two minutes between attempts to connect. "min" is how long one attempt may take.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    # A peer that vanished without a word is noticed after 25 s of unanswered calls; the default is
    # a quarter of an hour. Without calls no ping is sent: TensorFlow Serving hangs up on those.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
)


def open_channel(address: str, *, tls: ClientTls | None = None) -> grpc.Channel:
    """Opens a channel, one connection that is kept, for any number of clients and threads.

    A call waits for a connection until its deadline, so that it outlasts a server's restart. One
    that is answered UNAVAILABLE (the server's batching queue is full, or it stops) is made up to
    five times, after random waits of about 0.05, 0.1, 0.2 and 0.4 s, as long as such retries are no
    more than a tenth of the calls that succeed, and ten at first. gRPC does both, within the call's
    deadline. A call that ends otherwise is not made again.

    Args:
        address: host:port.
        tls: How to speak TLS; None: the channel is not encrypted.

    Returns:
        A channel for messages of up to 64 MiB.

    Raises:
        OSError: A file of `tls` cannot be read.

    Example:
        ```
        with open_channel("localhost:8500") as channel:
            ranker, encoder = RankerClient(channel), EncoderClient(channel)
        ```
    """
    return _open(grpc, address, tls)


def open_async_channel(address: str, *, tls: ClientTls | None = None) -> grpc.aio.Channel:
    """Opens a channel as `open_channel` does, for asyncio clients in the running event loop."""
    return _open(grpc.aio, address, tls)


def channel_of(
    address: Any, tls: ClientTls | None, open_address: Callable[..., Any]
) -> tuple[Any, bool]:
    """The channel of a client, and whether the client opened it and has to close it.

    Args:
        address: host:port, or an open channel.
        tls: How to speak TLS, where `address` is host:port.
        open_address: Opens a channel to host:port.

    Raises:
        ValueError: `tls` comes with a channel, which is encrypted already or never.
    """
    if isinstance(address, str):
        return open_address(address, tls=tls), True
    if tls is not None:
        raise ValueError("tls comes with an open channel; give it to the function that opens it")
    return address, False


def methods_of(channel: Any) -> dict[str, Callable[..., Any]]:
    """The methods of a model server that clients call, by name.

    Args:
        channel: An open channel, blocking or for asyncio.
    """
    return {
        method: channel.unary_unary(
            f"/tensorflow.serving.{service}/{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        for service, method, request, response in _METHODS
    }


def _open(library: Any, address: str, tls: ClientTls | None) -> Any:
    if tls is None:
        return library.insecure_channel(address, options=_OPTIONS)
    return library.secure_channel(address, tls.grpc_credentials(), options=_OPTIONS)
