"""Client of the SavedModel `semantic_id`."""

import grpc
import numpy as np

from serving.client.model_client import ModelClient
from serving.client.model_client import SignatureDefs
from serving.grpc_options import MAX_MESSAGE_BYTES

_SIGNATURE = "serving_default"


class EncoderClient(ModelClient[int]):
    """Turns content embeddings into Semantic IDs on a model server.

    Args:
        server: host:port, or a channel opened with `open_channel`, to share it.
        model: Name of the model on the server.
        sid_fingerprint: Fingerprint of the space that the Semantic IDs are wanted in; a version of
            another space is refused. If None, the space that is served at the first use.
        timeout: Seconds for a call, retries included.

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
    ):
        super().__init__(server, model, sid_fingerprint, timeout)

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
        embeddings = np.asarray(embeddings, np.float32)
        if embeddings.ndim != 2:
            raise ValueError(f"embeddings have shape {embeddings.shape}; [N, D] is wanted")
        finite = np.isfinite(embeddings).all(axis=1)
        if not finite.all():
            raise ValueError(f"the embedding of row {finite.argmin()} is not finite")
        # Half of the limit leaves room for everything that is not an embedding.
        rows = max(1, MAX_MESSAGE_BYTES // 2 // max(1, embeddings[:1].nbytes))
        parts = [
            self._encode(embeddings[start : start + rows])
            for start in range(0, len(embeddings), rows)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.space.levels), np.int32)

    def _encode(self, embeddings: np.ndarray) -> np.ndarray:
        def inputs(version):
            if embeddings.shape[1] != version.interface:
                raise ValueError(
                    f"embeddings have {embeddings.shape[1]} numbers each; model {self.model} "
                    f"version {version.number} takes {version.interface}"
                )
            return {"embedding": embeddings}

        return self._call(_SIGNATURE, inputs)["sid"]

    def _read_interface(self, signature_defs: SignatureDefs) -> int:
        """Length of the embeddings that the encoder takes (D)."""
        return signature_defs[_SIGNATURE].inputs["embedding"].tensor_shape.dim[1].size
