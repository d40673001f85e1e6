"""Limits on the concurrent work of a server."""

import dataclasses
import os

from semantic_id_ranking.serving.grpc_options import MAX_MESSAGE_BYTES

AT_ONCE = max(2, os.cpu_count() or 1)
"""Requests that each port parses and answers at once; the others in progress wait.

More than there are processors answer no more in a second, and with 8 on 2 busy processors a refusal
took 16 milliseconds (p50) where it takes 3 with 2.
"""


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of the ports.

    Attributes:
        max_message_bytes: Largest request or answer over gRPC, in bytes; a larger one is answered
            RESOURCE_EXHAUSTED.
        max_body_bytes: Largest body of a REST request, inflated, in bytes; a larger one is answered
            413. It is less than that of a message: reading a MiB of JSON takes .03 seconds, in
            which no other request is looked at.
        body_seconds: How long the body of a REST request may take to come; a slower one is answered
            408. As TensorFlow Serving's `--rest_api_timeout_in_ms`.
        max_concurrent_requests: Requests in progress at once on each port, gRPC and REST; further
            ones are answered RESOURCE_EXHAUSTED, 429 over REST, at once. None means no limit: they
            queue.
    """

    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_body_bytes: int = 8 * 1024 * 1024
    body_seconds: float = 30.0
    max_concurrent_requests: int | None = 128
