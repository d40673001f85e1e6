"""The context columns of the signature `rank`."""

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from semantic_id_ranking.contracts.feature_names import CONTEXT
from semantic_id_ranking.contracts.feature_names import context_column
from semantic_id_ranking.serving.client.arguments import name_list
from semantic_id_ranking.serving.client.arguments import object_array
from semantic_id_ranking.serving.client.arguments import require_mapping
from semantic_id_ranking.serving.client.errors import MissingInputError
from semantic_id_ranking.serving.tensor_proto import NUMPY_TYPES


class ContextColumns:
    """Makes the context inputs of a request.

    Args:
        inputs: The inputs of the signature, name -> `TensorInfo`. Those named
            `context_feature(column)` are context: of shape [N], one value a candidate; [N, C],
            several numbers; [1, C], several of the user.

    Attributes:
        dtypes: dtype of each column; object of one of strings.
        widths: Numbers in each column of several.
    """

    def __init__(self, inputs: Mapping[str, Message]):
        self._inputs = {
            context_column(name): name for name in sorted(inputs) if name.startswith(CONTEXT)
        }
        self.dtypes = {
            column: NUMPY_TYPES[inputs[name].dtype] for column, name in self._inputs.items()
        }
        shapes = {
            column: [dim.size for dim in inputs[name].tensor_shape.dim]
            for column, name in self._inputs.items()
        }
        self.widths = {column: shape[1] for column, shape in shapes.items() if len(shape) == 2}
        self._of_user = {column for column in self.widths if shapes[column][0] == 1}

    def arrays(self, context: Mapping[str, Any], candidates: int) -> dict[str, NDArray[Any]]:
        """The inputs by their names. What the ranker does not ask for is passed over.

        Args:
            context: Of each column one value, or one for each candidate.
            candidates: N.

        Raises:
            MissingInputError: A column is left out.
            ValueError: A shape or a type does not fit.
        """
        require_mapping("context", context)
        missing = [
            f"{column} ({self._kind(column)}){_similar(column, context)}"
            for column in self.dtypes
            if column not in context
        ]
        if missing:
            raise MissingInputError(
                f"the ranker asks for context columns {name_list(self.dtypes)}, but context "
                f"holds {name_list(context)}; missing: {', '.join(missing)}"
            )
        arrays = {}
        for column, name in self._inputs.items():
            array = self._array(column, context[column])
            if column in self._of_user and len(array) != 1:
                raise ValueError(
                    f"context {column} holds {len(array)} rows of numbers; it is the user's, and "
                    "one is wanted"
                )
            if len(array) not in (1, candidates):
                raise ValueError(
                    f"context {column} holds {len(array)} values; 1 or one for each of the "
                    f"{candidates} candidates is wanted"
                )
            arrays[name] = array
        return arrays

    def _array(self, column: str, value: Any) -> NDArray[Any]:
        dtype = self.dtypes[column]
        if column in self.widths:
            return _rows(column, value, self.widths[column], dtype)
        return _numbers(column, value, dtype) if dtype.kind != "O" else _strings(column, value)

    def _kind(self, column: str) -> str:
        """What a column holds, in words."""
        dtype = self.dtypes[column]
        name = "string" if dtype.kind == "O" else dtype.name
        return f"{self.widths[column]} of {name}" if column in self.widths else name


def _similar(column: str, context: Mapping[str, Any]) -> str:
    names = [name for name in context if isinstance(name, str)]
    similar = difflib.get_close_matches(column, names, n=1)
    return f", which {similar[0]} may be meant for" if similar else ""


def _rows(column: str, value: Any, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError:  # Lists of several lengths.
        array = np.asarray(value, object)
    if array.dtype.kind not in "iuf" or array.ndim > 2 or array.shape[-1:] != (width,):
        raise ValueError(
            f"context {column} has shape {array.shape} and type {array.dtype}; {width} numbers are "
            "wanted, or so many for each candidate"
        )
    rows: NDArray[Any] = np.atleast_2d(array).astype(dtype)
    return rows


def _numbers(column: str, value: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    array: NDArray[Any] = np.atleast_1d(np.asarray(value)).ravel()
    if array.dtype.kind not in "biuf":
        raise ValueError(f"context {column} is {array.dtype}; {dtype.name} is wanted")
    with np.errstate(invalid="ignore"):
        converted: NDArray[Any] = array.astype(dtype)
    if dtype.kind != "f" and (converted != array).any():
        row = (converted != array).argmax()
        raise ValueError(f"context {column} at row {row} is {array[row]}; {dtype.name} is wanted")
    return converted


def _strings(column: str, value: Any) -> NDArray[Any]:
    array = np.asarray(value, object).ravel()
    values = array.tolist()
    if set(map(type, values)) == {bytes}:
        return array
    for row, one in enumerate(values):
        if not isinstance(one, (str, bytes)):
            raise ValueError(f"context {column} at row {row} is {one!r}; str or bytes is wanted")
    return object_array([one if isinstance(one, bytes) else str(one).encode() for one in values])
