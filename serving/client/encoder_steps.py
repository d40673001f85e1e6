"""Steps of a call to the SavedModel `semantic_id`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from numpy.typing import NDArray

from semantic_id_ranking.serving.client.model_steps import ModelSteps
from semantic_id_ranking.serving.client.model_steps import ServedVersion
from semantic_id_ranking.serving.client.model_steps import SignatureDefs
from semantic_id_ranking.serving.client.operations import Steps
from semantic_id_ranking.serving.grpc_options import MAX_MESSAGE_BYTES

_SIGNATURE = "serving_default"


class EncoderSteps(ModelSteps[int]):
    """Turns content embeddings into Semantic IDs."""

    def encode(
        self,
        embeddings: ArrayLike,
        deadline: float | None = None,
        require: Callable[[ServedVersion[int]], None] | None = None,
    ) -> Steps[NDArray[Any]]:
        """Encodes embeddings, in as many requests as keep each within the message limit.

        Args:
            embeddings: [N, D] numbers, finite.
            deadline: When to give up; None: each request may take the timeout.
            require: Raises ServedSpaceError to refuse a version; None refuses all of another
                space than the user's.

        Returns:
            [N, L] int32, codes 0 .. K-1; -1 where the model finds none.

        Raises:
            ValueError: The embeddings have another shape than [N, D], or one is not finite.
        """
        require = require or self.require_own_space
        try:
            array = np.asarray(embeddings, np.float32)
        except (ValueError, TypeError):
            raise ValueError("embeddings are no array of numbers; [N, D] is wanted") from None
        if array.ndim != 2:
            raise ValueError(f"embeddings have shape {array.shape}; [N, D] is wanted")
        finite = np.isfinite(array).all(axis=1)
        if not finite.all():
            raise ValueError(f"the embedding of row {finite.argmin()} is not finite")
        # Half of the limit leaves space for everything that is not an embedding.
        rows = max(1, MAX_MESSAGE_BYTES // 2 // max(1, array[:1].nbytes))
        parts = []
        for start in range(0, len(array), rows):
            part = array[start : start + rows]
            parts.append((yield from self._encode(part, require, deadline or self.deadline())))
        if parts:
            return np.concatenate(parts)
        version = yield from self.served_version(require, deadline or self.deadline())
        return np.zeros((0, version.space.levels), np.int32)

    def _encode(
        self,
        embeddings: NDArray[Any],
        require: Callable[[ServedVersion[int]], None],
        deadline: float,
    ) -> Steps[NDArray[Any]]:
        def inputs(version: ServedVersion[int]) -> Steps[dict[str, NDArray[Any]]]:
            yield from ()  # It takes no input or output.
            if embeddings.shape[1] != version.interface:
                raise ValueError(
                    f"embeddings have {embeddings.shape[1]} numbers each; {version} takes "
                    f"{version.interface}"
                )
            return {"embedding": embeddings}

        outputs, _ = yield from self.call(_SIGNATURE, inputs, require, deadline)
        return outputs["sid"]

    def read_interface(self, signature_defs: SignatureDefs) -> int:
        """Length of the embeddings that the encoder takes (D)."""
        return int(signature_defs[_SIGNATURE].inputs["embedding"].tensor_shape.dim[1].size)
