"""Client of the SavedModel `semantic_id`."""

import grpc
import numpy as np
from numpy.typing import ArrayLike
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.blocking_transport import BlockingTransport
from semantic_id_ranking.serving.client.encoder_steps import EncoderSteps
from semantic_id_ranking.serving.client.tls import ClientTls


class EncoderClient:
    """Turns content embeddings into Semantic IDs on a model server.

    Threads may share a client. It uses no event loop, so that it works where one runs. After a
    fork the child opens a client of its own, as gRPC demands.

    Args:
        address: host:port, or a channel opened with `open_channel`, to share it.
        tls: How to speak TLS, where `address` is host:port; None: not at all.
        timeout: Seconds for a request, retries included.
        model: Name of the model on the server.
        sid_fingerprint: Fingerprint of the space that the Semantic IDs are wanted in; a version of
            another space is refused. If None, the space that is served at the first use.

    Raises:
        ValueError: `timeout` is no finite number above 0, or `tls` comes with a channel.
        OSError: A file of `tls` cannot be read.

    Example:
        ```
        with EncoderClient("localhost:8500") as encoder:
            sids = encoder.encode(np.zeros((2, 512), np.float32))  # int32 [2, L]
        ```
    """

    def __init__(
        self,
        address: str | grpc.Channel,
        *,
        tls: ClientTls | None = None,
        timeout: float = 5.0,
        model: str = "semantic_id",
        sid_fingerprint: str | None = None,
    ):
        self._steps = EncoderSteps(model, sid_fingerprint, timeout)
        self._transport = BlockingTransport(address, tls)

    def space(self) -> SidSpace:
        """The SID space of the served model; the first use asks the server.

        Raises:
            ServedSpaceError: It is not the space that is wanted.
            ModelCallError: The server does not answer.
        """
        return self._transport.run(self._steps.space())

    def encode(self, embeddings: ArrayLike) -> NDArray[np.int32]:
        """Encodes embeddings, in as many requests as keep each within the message limit.

        Args:
            embeddings: [N, D] numbers, finite.

        Returns:
            [N, L] int32, codes 0 .. K-1.

        Raises:
            ValueError: The embeddings have another shape than [N, D], or one is not finite.
            ServedSpaceError: The served encoder gives Semantic IDs of another space.
            ModelCallError: The server refuses, or does not answer in time.
        """
        return self._transport.run(self._steps.encode(embeddings))

    def close(self) -> None:
        """Closes the channel, if this client opened it."""
        self._transport.close()

    def __enter__(self) -> "EncoderClient":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
