"""Client of the SavedModel `semantic_id`."""

import grpc
import numpy as np

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.channel import open_channel
from semantic_id_ranking.serving.client.encoder_caller import EncoderCaller
from semantic_id_ranking.serving.client.tls import ClientTls
from semantic_id_ranking.serving.client.transport import BlockingTransport
from semantic_id_ranking.serving.client.transport import run


class EncoderClient:
    """Turns content embeddings into Semantic IDs on a model server. Threads may share a client.

    Args:
        server: host:port, or a channel opened with `open_channel`, to share it.
        model: Name of the model on the server.
        sid_fingerprint: Fingerprint of the space that the Semantic IDs are wanted in; a version of
            another space is refused. If None, the space that is served at the first use.
        timeout: Seconds for a request, retries included.
        tls: How to speak TLS, where `server` is host:port.

    Example:
        ```
        with EncoderClient("localhost:8500") as encoder:
            sids = encoder.encode(embeddings)  # [N, L]
        ```
    """

    def __init__(
        self,
        server: str | grpc.Channel,
        model: str = "semantic_id",
        sid_fingerprint: str | None = None,
        timeout: float = 5.0,
        tls: ClientTls | None = None,
    ):
        self._own_channel = open_channel(server, tls) if isinstance(server, str) else None
        transport = BlockingTransport(self._own_channel or server)
        self._caller = EncoderCaller(transport, model, sid_fingerprint, timeout)

    @property
    def space(self) -> SidSpace:
        """The SID space of the served model; the first use asks the server.

        Raises:
            SidSpaceMismatchError: It is not the space that is wanted.
            ModelCallError: The server does not answer.
        """
        return run(self._caller.space())

    def encode(self, embeddings: np.ndarray) -> np.ndarray:
        """Encodes embeddings, in as many requests as keep each within the message limit.

        Args:
            embeddings: [N, D] numbers, finite.

        Returns:
            [N, L] int32, codes 0 .. K-1.

        Raises:
            ValueError: The embeddings have another shape than [N, D], or one is not finite.
            SidSpaceMismatchError: The served encoder gives Semantic IDs of another space.
            ModelCallError: The server refuses, or does not answer in time.
        """
        return run(self._caller.encode(embeddings))

    def close(self) -> None:
        """Closes the channel, if this client opened it."""
        if self._own_channel:
            self._own_channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
