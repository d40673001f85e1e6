"""Limits on the concurrent work of a server."""

import dataclasses

from semantic_id_ranking.serving.grpc_options import MAX_MESSAGE_BYTES


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of each port, gRPC and REST.

    Attributes:
        max_message_bytes: Largest request or answer, in bytes; a larger one is answered
            RESOURCE_EXHAUSTED over gRPC, 413 over REST.
        max_concurrent_requests: Requests in progress at once; further ones are answered
            RESOURCE_EXHAUSTED over gRPC, 429 over REST, at once. None means no limit: they queue.
    """

    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_concurrent_requests: int | None = None
