"""Channels to a model server."""

import json

import grpc

from serving.grpc_options import MAX_MESSAGE_BYTES
from serving.grpc_options import MESSAGE_LIMITS

_RETRIES = {
    "methodConfig": [
        {
            "name": [{"service": "tensorflow.serving.PredictionService"}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


def open_channel(address: str) -> grpc.Channel:
    """Opens a channel for any number of clients and threads.

    A call that ends UNAVAILABLE (the server restarts, or its batching queue is full) is made up to
    five times, after waits of about 0.05, 0.1, 0.2 and 0.4 s, all within the call's deadline; gRPC
    does it. A call that ends otherwise is not made again.

    Args:
        address: host:port.

    Returns:
        A channel without encryption, for messages of up to 64 MiB.
    """
    return grpc.insecure_channel(
        address,
        options=(
            *MESSAGE_LIMITS,
            ("grpc.service_config", json.dumps(_RETRIES)),
            # A request larger than this (256 KiB, if not said) is not kept for a retry.
            ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),
            # How long a lost connection stays lost at first; the default outlasts the retries.
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.min_reconnect_backoff_ms", 50),
        ),
    )
