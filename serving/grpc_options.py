"""Channel options of both ends."""

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Largest request or answer, in bytes.

gRPC's own limit on what is received is 4 MiB. TensorFlow Serving receives up to 2 GiB; the client
keeps to this limit with either server, so that what works locally works in production.
"""


def message_limits(max_message_bytes: int) -> tuple[tuple[str, int], ...]:
    """Options of a channel or a server that limit requests and answers, in bytes."""
    return (
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
    )


MESSAGE_LIMITS = message_limits(MAX_MESSAGE_BYTES)
