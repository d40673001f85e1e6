"""Client of the SavedModel `ranker`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import grpc
import numpy as np

from serving.client.model_client import ModelClient
from serving.client.model_client import SignatureDefs
from serving.client.rank_signature import RankSignature

_SIGNATURE = "rank"
_NO_CONTEXT: Mapping[str, Any] = MappingProxyType({})


class RankerClient(ModelClient[RankSignature]):
    """Scores a user's candidates on a model server.

    Args:
        server: host:port, or a channel opened with `open_channel`, to share it.
        model: Name of the model on the server.
        sid_fingerprint: Fingerprint of the space of the caller's Semantic IDs; a ranker of another
            space is refused. If None, the space that is served at the first use.
        timeout: Seconds for a call, retries included.

    Example:
        ```
        with RankerClient("localhost:8500", sid_fingerprint=encoder.space.fingerprint) as ranker:
            scores = ranker.rank({"sid": sids}, history={"sid": history}, context={"country": "de"})
            scores["click"]  # [N]
        ```
    """

    def __init__(
        self,
        server: str | grpc.Channel,
        model: str = "ranker",
        sid_fingerprint: str | None = None,
        timeout: float = 5.0,
    ):
        super().__init__(server, model, sid_fingerprint, timeout)

    @property
    def item_fields(self) -> tuple[str, ...]:
        """Of "sid" and "item_id", what the ranker sees items by; the first use asks the server."""
        return self._known_version(self._deadline()).interface.item_fields

    def rank(
        self,
        candidate: Mapping[str, Any],
        current: Mapping[str, Any] | None = None,
        history: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] = _NO_CONTEXT,
    ) -> dict[str, np.ndarray]:
        """Scores candidates for one user.

        A ranker takes `sid` or `item_id` (see `item_fields`) and its own context columns; what it
        does not ask for is passed over, so that one call fits a ranker and the baseline it
        replaces.

        Args:
            candidate: `sid` [N, L] integers, and/or `item_id` [N] strings or integers. Codes -1
                stand for an item without a Semantic ID.
            current: The same for the item the user looks at: `sid` [L], `item_id` one. None: there
                is none.
            history: The same for the user's past, most recent first: `sid` [T, L], `item_id` [T].
                None: there is none.
            context: Context columns: one value, or one for each candidate.

        Returns:
            Scores of each task, float32 [N]: probabilities of binary tasks, values of others.

        Raises:
            MissingInputError: The ranker asks for a field or a column that is left out.
            ValueError: A shape, a code or a type does not fit.
            SidSpaceMismatchError: The ranker takes Semantic IDs of another space.
            ModelCallError: The server refuses, or does not answer in time.
        """
        return self._call(
            _SIGNATURE,
            lambda version: version.interface.inputs(
                candidate, current, history, context, version.space
            ),
        )

    def _read_interface(self, signature_defs: SignatureDefs) -> RankSignature:
        return RankSignature(signature_defs[_SIGNATURE])

    def _exchanges_sids(self, interface: RankSignature) -> bool:
        return "sid" in interface.item_fields
