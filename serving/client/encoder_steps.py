"""Steps of a call to the SavedModel `semantic_id`."""

import time
from collections.abc import Callable
from typing import Any
from typing import TypeAlias

import grpc
import numpy as np
from numpy.typing import ArrayLike
from numpy.typing import NDArray

from semantic_id_ranking.serving.client import messages
from semantic_id_ranking.serving.client.errors import ModelCallError
from semantic_id_ranking.serving.client.errors import ServedSpaceError
from semantic_id_ranking.serving.client.model_steps import ModelSteps
from semantic_id_ranking.serving.client.model_steps import ServedVersion
from semantic_id_ranking.serving.client.model_steps import SignatureDefs
from semantic_id_ranking.serving.client.operations import Pause
from semantic_id_ranking.serving.client.operations import Steps
from semantic_id_ranking.serving.grpc_options import MAX_MESSAGE_BYTES

Require: TypeAlias = Callable[[ServedVersion[int]], None]
"""Raises ServedSpaceError to refuse a version."""

_SIGNATURE = "serving_default"
_State = messages.ModelVersionStatus
_COMING = {_State.START, _State.LOADING}
_LOADING_SECONDS = 0.05


class EncoderSteps(ModelSteps[int]):
    """Turns content embeddings into Semantic IDs.

    A server has two versions while rankers of two SID spaces change over. So a request names its
    version: the newest one that is served in the space that is wanted. Where it is about to be
    loaded, it is waited for.
    """

    codes_of_outdated = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND})

    def __init__(self, model: str, sid_fingerprint: str | None, timeout: float):
        super().__init__(model, sid_fingerprint, timeout)
        # What was read, by number: a version never changes.
        self._known: dict[int, ServedVersion[int]] = {}

    def encode(
        self,
        embeddings: ArrayLike,
        deadline: float | None = None,
        require: Require | None = None,
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
        require: Require,
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

    def served_version(self, require: Require, deadline: float) -> Steps[ServedVersion[int]]:
        """A version that is not refused, the newest that is served, or one that was read before.

        Args:
            require: Raises ServedSpaceError to refuse a version.
            deadline: When to give up.
        """
        for known in sorted(self._known.values(), key=lambda one: -one.number):
            if _is_accepted(known, require):
                return known
        newest = yield from self.read_version(deadline)
        self._known[newest.number] = newest
        try:
            require(newest)
            return newest
        except ServedSpaceError as error:
            refusal = error
        while time.monotonic() < deadline:
            states = yield from self._states(deadline)
            for number in sorted(states, reverse=True):
                if states[number] == _State.AVAILABLE:
                    version = yield from self._version_of(number, deadline)
                    if version and _is_accepted(version, require):
                        return version
            if not _COMING & set(states.values()):
                break
            yield Pause(_LOADING_SECONDS, deadline)
        raise refusal

    def number_called(self, version: ServedVersion[int]) -> int:
        """The version itself."""
        return version.number

    def read_again(
        self, outdated: ServedVersion[int], require: Require, deadline: float
    ) -> Steps[ServedVersion[int]]:
        """The version to call in place of one that is unloaded."""
        self._known.pop(outdated.number, None)
        return (yield from self.served_version(require, deadline))

    def _version_of(self, number: int, deadline: float) -> Steps[ServedVersion[int] | None]:
        """What is known of a version; None where it is unloaded meanwhile."""
        if number not in self._known:
            try:
                self._known[number] = yield from self.read_version(deadline, number)
            except ModelCallError as error:
                if error.code != grpc.StatusCode.NOT_FOUND:
                    raise
        return self._known.get(number)

    def _states(self, deadline: float) -> Steps[dict[int, int]]:
        """The state of each version that the server knows."""
        request = messages.GetModelStatusRequest()
        self.set_spec(request.model_spec)
        try:
            response = yield from self.answer("GetModelStatus", request, deadline)
        except ModelCallError as error:
            # A proxy that passes on predictions alone.
            if error.code == grpc.StatusCode.UNIMPLEMENTED:
                return {}
            raise
        return {status.version: status.state for status in response.model_version_status}

    def read_interface(self, signature_defs: SignatureDefs) -> int:
        """Length of the embeddings that the encoder takes (D)."""
        return int(signature_defs[_SIGNATURE].inputs["embedding"].tensor_shape.dim[1].size)


def _is_accepted(version: ServedVersion[int], require: Require) -> bool:
    try:
        require(version)
    except ServedSpaceError:
        return False
    return True
