"""Items that are ranked by their ids."""

import copy
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.serving.client.arguments import require_mapping
from semantic_id_ranking.serving.item_ids import ItemEmbeddings
from semantic_id_ranking.serving.item_ids import ItemId
from semantic_id_ranking.serving.item_ids import to_text_keys
from semantic_id_ranking.serving.item_ids import to_texts


class ItemRequest:
    """The items of one request, each id as text.

    Args:
        item_ids: The candidates.
        current: The item that the user looks at; None: there is none.
        history: The user's past items, most recent first; None: there are none.
        history_labels: task -> a label for each of them; None: there are none.
        embeddings: item_id -> content embedding [D]; None: there are none.

    Attributes:
        candidates: The candidates.
        current: The current item, or nothing.
        history: The past items.
        history_labels: Their labels.
        embeddings: item_id -> content embedding.
        row_of: item_id -> its row, 0 .. N-1, among the N distinct items of the request.

    Raises:
        ValueError: An id is of another type, or an argument is no list or mapping.
    """

    def __init__(
        self,
        item_ids: Sequence[ItemId],
        current: ItemId | None,
        history: Sequence[ItemId] | None,
        history_labels: Mapping[str, Any] | None,
        embeddings: ItemEmbeddings | None,
    ):
        self.candidates = to_texts("item_ids", item_ids)
        self.current = [] if current is None else to_texts("current", [current])
        self.history = [] if history is None else to_texts("history", history)
        if history_labels is not None:
            require_mapping("history_labels", history_labels)
            if history is None:
                raise ValueError("history_labels is given without history; give both or neither")
        self.history_labels = history_labels
        if embeddings is None:
            embeddings = {}
        require_mapping("embeddings", embeddings)
        self.embeddings = to_text_keys("embeddings", embeddings)
        distinct = dict.fromkeys([*self.candidates, *self.history, *self.current])
        self.row_of = {item: row for row, item in enumerate(distinct)}

    def with_history(
        self, history: Sequence[str], history_labels: Mapping[str, Any]
    ) -> "ItemRequest":
        """The same with another history; items that only that one has follow in `row_of`."""
        changed = copy.copy(self)
        changed.history = list(history)
        changed.history_labels = history_labels
        distinct = dict.fromkeys([*self.row_of, *history])
        changed.row_of = {item: row for row, item in enumerate(distinct)}
        return changed

    def fields(
        self, items: Sequence[str], sids: NDArray[Any] | None, embedding_dim: int
    ) -> dict[str, Any]:
        """The fields by which a ranker may represent some of the items.

        Args:
            items: Some of the items, 1 or more.
            sids: [N, L] Semantic IDs of all items by their row; None: the ranker does not ask.
            embedding_dim: Length of an embedding (D); 0 where the ranker sees none.

        Returns:
            `item_id`, `sid` and `embedding` of each item, zeros where none is given.
        """
        found: dict[str, Any] = {"item_id": items}
        if sids is not None:
            found["sid"] = sids[[self.row_of[item] for item in items]]
        if embedding_dim:
            unknown = np.zeros(embedding_dim, np.float32)
            given = [self.embeddings.get(item, unknown) for item in items]
            found["embedding"] = stack_embeddings(items, given, embedding_dim)
        return found


def stack_embeddings(
    item_ids: Sequence[str], embeddings: Sequence[Any], dim: int | None = None
) -> NDArray[Any]:
    """The embeddings of some items as one array.

    Args:
        item_ids: N items, 1 or more.
        embeddings: The embedding of each, a vector of numbers.
        dim: Length of an embedding (D); None takes that of the first.

    Returns:
        [N, D] float32.

    Raises:
        ValueError: One is no vector of D finite numbers.
    """
    try:
        stacked: NDArray[Any] = np.stack(embeddings)
    except ValueError:
        pass  # They are of several shapes.
    else:
        length = stacked.shape[-1] if dim is None else dim
        if stacked.shape[1:] == (length,) and _are_numbers(stacked):
            return stacked.astype(np.float32, copy=False)
    dim = np.size(embeddings[0]) if dim is None else dim
    for item, embedding in zip(item_ids, map(_array, embeddings), strict=True):
        if embedding.shape != (dim,) or not _are_numbers(embedding):
            raise ValueError(
                f"the embedding of item {item!r} has shape {embedding.shape} and type "
                f"{embedding.dtype}; a vector of {dim} finite numbers is wanted"
            )
    raise AssertionError("every embedding fits, and yet they do not stack")


def _array(embedding: Any) -> NDArray[Any]:
    try:
        return np.asarray(embedding)
    except ValueError:  # A list of lists of several lengths.
        return np.asarray(embedding, object)


def _are_numbers(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "iuf" and bool(np.isfinite(array).all())
