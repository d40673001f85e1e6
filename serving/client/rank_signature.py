"""The signature `rank` of a served ranker, and requests that fit it."""

import math
import numbers
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from semantic_id_ranking.contracts.feature_names import HISTORY_LABEL
from semantic_id_ranking.contracts.feature_names import history_label
from semantic_id_ranking.contracts.feature_names import unescape
from semantic_id_ranking.contracts.feature_names import weight_input
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.arguments import name_list
from semantic_id_ranking.serving.client.arguments import object_array
from semantic_id_ranking.serving.client.arguments import require_mapping
from semantic_id_ranking.serving.client.context_columns import ContextColumns
from semantic_id_ranking.serving.client.errors import MissingInputError
from semantic_id_ranking.serving.item_ids import to_text

_EMBEDDING = "embedding"
_LABELS = "labels"
_SID = "sid"

_INT32_MAX = 2**31 - 1

Fields = Mapping[str, Any]


class RankSignature:
    """The inputs of a ranker: item fields and context columns.

    Args:
        signature_def: The `SignatureDef`, with inputs `candidate_<field>`, `current_<field>` and
            `history_<field>` for the fields `sid` (int64), `item_id` (string) and `embedding`
            (float32), `history_label(task)` (float32) where the history has labels, and
            `context_feature(column)` (string or a number; of several numbers,
            float32 [N, C], or [1, C] for what is the user's); its outputs are the tasks.

    Attributes:
        item_fields: The fields, of "sid", "item_id" and "embedding", that the ranker sees items by.
        history_tasks: The tasks whose labels of the history's impressions the ranker reads.
        context_columns: dtype of each context column; object of one of strings.
        context_widths: Numbers in each context column of several.
        tasks: The tasks, in alphabetical order.
        embedding_dim: Length of an embedding (D); 0 where the ranker sees none.
    """

    def __init__(self, signature_def: Message):
        inputs = signature_def.inputs
        self.item_fields = tuple(_suffixes(inputs, "candidate_"))
        self.history_tasks = tuple(map(unescape, _suffixes(inputs, HISTORY_LABEL)))
        self._context = ContextColumns(inputs)
        self.context_columns = self._context.dtypes
        self.context_widths = self._context.widths
        self.tasks = tuple(sorted(signature_def.outputs))
        self.embedding_dim = 0
        if _EMBEDDING in self.item_fields:
            self.embedding_dim = inputs[f"candidate_{_EMBEDDING}"].tensor_shape.dim[1].size

    def inputs(
        self,
        candidate: Fields,
        current: Fields | None,
        history: Fields | None,
        context: Fields | None,
        space: SidSpace,
    ) -> dict[str, NDArray[Any]]:
        """Makes a request's inputs. What the ranker does not ask for is passed over.

        Args:
            candidate: `sid` [N, L] integers, `item_id` [N] strings or integers, `embedding` [N, D]
                numbers.
            current: `sid` [L], `item_id` one, `embedding` [D]; None where there is no current item.
            history: `sid` [T, L], `item_id` [T], `embedding` [T, D], most recent first, and
                `labels`, a mapping from each of `history_tasks` to [T] numbers, NaN where there is
                none; None where there is none.
            context: One value, or [N], for each column; [C], or [N, C], for one of C numbers. None:
                there are no columns.
            space: The ranker's SID space.

        Returns:
            An array for each input of the signature.

        Raises:
            MissingInputError: A field or a column is left out.
            ValueError: A shape, a code or a type does not fit.
        """
        for name, fields in (("candidate", candidate), ("current", current), ("history", history)):
            if fields is not None or name == "candidate":
                require_mapping(name, fields)
        arrays = {}
        for field in self.item_fields:
            candidates = self._items("candidate", candidate, field, space)
            arrays[f"candidate_{field}"] = candidates
            currents = (
                self._no_item(field, space)
                if current is None
                else self._items("current", current, field, space)
            )
            if len(currents) != 1:
                raise ValueError(f"current {field} holds {len(currents)} items; one is wanted")
            arrays[f"current_{field}"] = currents
            past = (
                self._no_item(field, space)[:0]
                if history is None
                else self._items("history", history, field, space)
            )
            arrays[f"history_{field}"] = past[np.newaxis]
        for task in self.history_tasks:
            labels = _labels(task, history, past.shape[0])
            arrays[history_label(task)] = labels[np.newaxis]
        given = {} if context is None else context
        return arrays | self._context.arrays(given, len(candidates))

    def top_k_inputs(self, top_k: int, weights: Mapping[str, float]) -> dict[str, NDArray[Any]]:
        """Inputs of the signature `rank_top_k` besides those of `rank`.

        Args:
            top_k: How many candidates, at most; 1 or more.
            weights: Weight of each task's score; a task that is left out weighs nothing.
        """
        arrays = {
            weight_input(task): np.array(weights.get(task, 0.0), np.float32) for task in self.tasks
        }
        return arrays | {"top_k": np.array(min(top_k, _INT32_MAX), np.int32)}

    def weights(self, task: str | Mapping[str, float] | None) -> dict[str, float]:
        """The weight of each task by which candidates are sorted.

        Args:
            task: One task, or the weights of several; None stands for the only one.

        Raises:
            ValueError: The ranker has no such task, or several and none is named, or a weight is no
                finite number.
        """
        if task is None and len(self.tasks) == 1:
            task = self.tasks[0]
        weights = {task: 1.0} if isinstance(task, str) else task
        if not (isinstance(weights, Mapping) and weights and weights.keys() <= set(self.tasks)):
            raise ValueError(
                f"task is {task!r}; the ranker's tasks to sort by are {', '.join(self.tasks)}"
            )
        for name, weight in weights.items():
            if not (isinstance(weight, numbers.Real) and math.isfinite(weight)):
                raise ValueError(f"the weight of task {name} is {weight!r}; a number is wanted")
        return dict(weights)

    def _items(self, role: str, fields: Fields, field: str, space: SidSpace) -> NDArray[Any]:
        if field not in fields:
            raise MissingInputError(
                f"the ranker sees items by {name_list(self.item_fields)}, but {role} holds "
                f"{name_list(fields)}; missing: {field}"
            )
        if field == _SID:
            return _sids(role, fields[field], space)
        if field == _EMBEDDING:
            return _embeddings(role, fields[field], self.embedding_dim)
        return _item_ids(role, fields[field])

    def _no_item(self, field: str, space: SidSpace) -> NDArray[Any]:
        if field == _SID:
            return np.full((1, space.levels), -1, np.int64)
        if field == _EMBEDDING:
            return np.zeros((1, self.embedding_dim), np.float32)
        return np.array([b""], object)


def _labels(task: str, history: Fields | None, items: int) -> NDArray[Any]:
    """The labels of a task, float32 [T]."""
    if history is None:
        return np.zeros(0, np.float32)
    by_task = history.get(_LABELS)
    if by_task is None or task not in by_task:
        raise MissingInputError(
            f"the ranker reads the labels of the history's impressions, but history holds none of "
            f"task {task}; give labels, a mapping from task to a number for each item"
        )
    try:
        # None becomes NaN.
        labels: NDArray[Any] = np.asarray(by_task[task], np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"history labels of {task} are no numbers: {by_task[task]!r}") from None
    if labels.shape != (items,):
        raise ValueError(
            f"history labels of {task} have shape {labels.shape}; one for each of the {items} "
            "items of the history is wanted"
        )
    return labels


def _suffixes(aliases: Iterable[str], prefix: str) -> list[str]:
    return sorted(alias.removeprefix(prefix) for alias in aliases if alias.startswith(prefix))


def _sids(role: str, value: Any, space: SidSpace) -> NDArray[Any]:
    sids = np.asarray(value)
    if sids.size == 0:
        return np.zeros((0, space.levels), np.int64)
    if sids.dtype.kind not in "iu":
        raise ValueError(f"{role} sid is {sids.dtype}; integers are wanted")
    if sids.shape[-1:] != (space.levels,):
        raise ValueError(
            f"{role} sid has shape {sids.shape}; Semantic IDs of {space.levels} codes are wanted"
        )
    sids = sids.reshape(-1, space.levels).astype(np.int64, copy=False)
    if sids.min() < -1 or sids.max() >= space.codebook_size:
        row = ((sids < -1) | (sids >= space.codebook_size)).any(axis=1).argmax()
        raise ValueError(
            f"{role} sid {sids[row].tolist()} at row {row} is not of SID space "
            f"{space.fingerprint}; codes are 0 .. {space.codebook_size - 1}, or -1 for no item"
        )
    return sids


def _embeddings(role: str, value: Any, dim: int) -> NDArray[Any]:
    embeddings = np.asarray(value)
    if embeddings.size == 0:
        return np.zeros((0, dim), np.float32)
    if embeddings.dtype.kind not in "iuf":
        raise ValueError(f"{role} embedding is {embeddings.dtype}; numbers are wanted")
    if embeddings.shape[-1:] != (dim,):
        raise ValueError(
            f"{role} embedding has shape {embeddings.shape}; embeddings of {dim} numbers are wanted"
        )
    embeddings = embeddings.reshape(-1, dim).astype(np.float32)
    finite = np.isfinite(embeddings).all(axis=1)
    if not finite.all():
        raise ValueError(f"{role} embedding at row {finite.argmin()} is not finite")
    return embeddings


def _item_ids(role: str, value: Any) -> NDArray[Any]:
    array = np.asarray(value, object)
    if array.ndim == 0 and role != "current":
        raise ValueError(f"{role} item_id is {value!r}; a list of ids is wanted")
    values = array.ravel().tolist()
    types = set(map(type, values))
    try:
        if types == {bytes}:
            # One line feed more between two ids makes no UTF-8 of what is none.
            b"\n".join(values).decode()
            return array.ravel()
        if types == {str}:
            return object_array([one.encode() for one in values])
    except UnicodeError:
        pass  # `to_text` names the id.
    try:
        return object_array([to_text(one).encode() for one in values])
    except ValueError as error:
        raise ValueError(f"{role} item_id: {error}") from None
