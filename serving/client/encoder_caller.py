"""What the clients of the SavedModel `semantic_id` do."""

from collections.abc import Callable

import numpy as np

from semantic_id_ranking.serving.client.model_caller import ModelCaller
from semantic_id_ranking.serving.client.model_caller import ServedVersion
from semantic_id_ranking.serving.client.model_caller import SignatureDefs
from semantic_id_ranking.serving.grpc_options import MAX_MESSAGE_BYTES

_SIGNATURE = "serving_default"


class EncoderCaller(ModelCaller[int]):
    """Turns content embeddings into Semantic IDs."""

    async def encode(
        self,
        embeddings: np.ndarray,
        deadline: float | None = None,
        require: Callable[[ServedVersion[int]], None] | None = None,
    ) -> np.ndarray:
        """Encodes embeddings, in as many requests as keep each within the message limit.

        Args:
            embeddings: [N, D] numbers, finite.
            deadline: When to give up; None: each request may take the timeout.
            require: Raises SidSpaceMismatchError to refuse a version; None refuses all of another
                space than the user's.

        Returns:
            [N, L] int32, codes 0 .. K-1; -1 where the model finds none.

        Raises:
            ValueError: The embeddings have another shape than [N, D], or one is not finite.
        """
        require = require or self.require_own_space
        embeddings = np.asarray(embeddings, np.float32)
        if embeddings.ndim != 2:
            raise ValueError(f"embeddings have shape {embeddings.shape}; [N, D] is wanted")
        finite = np.isfinite(embeddings).all(axis=1)
        if not finite.all():
            raise ValueError(f"the embedding of row {finite.argmin()} is not finite")
        # Half of the limit leaves room for everything that is not an embedding.
        rows = max(1, MAX_MESSAGE_BYTES // 2 // max(1, embeddings[:1].nbytes))
        parts = [
            await self._encode(
                embeddings[start : start + rows], require, deadline or self.deadline()
            )
            for start in range(0, len(embeddings), rows)
        ]
        if parts:
            return np.concatenate(parts)
        space = (await self.served_version(require, deadline or self.deadline())).space
        return np.zeros((0, space.levels), np.int32)

    async def _encode(
        self,
        embeddings: np.ndarray,
        require: Callable[[ServedVersion[int]], None],
        deadline: float,
    ) -> np.ndarray:
        async def inputs(version):
            if embeddings.shape[1] != version.interface:
                raise ValueError(
                    f"embeddings have {embeddings.shape[1]} numbers each; {version} takes "
                    f"{version.interface}"
                )
            return {"embedding": embeddings}

        outputs, _ = await self.call(_SIGNATURE, inputs, require, deadline)
        return outputs["sid"]

    def read_interface(self, signature_defs: SignatureDefs) -> int:
        """Length of the embeddings that the encoder takes (D)."""
        return signature_defs[_SIGNATURE].inputs["embedding"].tensor_shape.dim[1].size
