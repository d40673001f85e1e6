"""One signature of a loaded SavedModel."""

import contextlib
import functools
import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from semantic_id_ranking._compat import session_callable
from semantic_id_ranking.serving.server.status import CODES
from semantic_id_ranking.serving.server.status import failed_precondition
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import StatusError
from semantic_id_ranking.serving.server.tensor_proto import read_array
from semantic_id_ranking.serving.server.tensor_proto import type_name

# Of a string in a tensor, besides its characters.
_STRING_BYTES = 24
# How much larger than its message a tensor may be where all values are there: an empty string takes
# two bytes of a message.
_GROWTH = 16
# What a tensor may take in bytes where they are not, and the last value stands for the others. With
# them, a few bytes would become tensors whose memory TensorFlow never gives back.
_LARGEST_REPEATED = 1 << 20


class Signature:
    """Checks a request against a signature and runs it.

    Checks, their order and their messages are those of TensorFlow Serving's `predict_util.cc` and
    TensorFlow's `cc/saved_model/util.cc`. Shapes are left to the first operation that reads them,
    as there, unless they are to be checked.

    A request runs in the thread that brings it: handing small operations to other threads takes
    longer than the operations.

    Args:
        session: Holds the SavedModel.
        signature_def: The signature as the SavedModel declares it.
        strict_shapes: Whether to refuse shapes other than it declares.
    """

    def __init__(
        self,
        session: tf.compat.v1.Session,
        signature_def: meta_graph_pb2.SignatureDef,
        strict_shapes: bool,
    ):
        self._session = session
        self._strict_shapes = strict_shapes
        self._inputs = {
            alias: signature_def.inputs[alias] for alias in sorted(signature_def.inputs)
        }
        self._defaults = dict(signature_def.defaults)
        self._outputs = sorted(signature_def.outputs)
        self._fetched = [signature_def.outputs[alias].name for alias in self._outputs]

    def run(
        self,
        inputs: Mapping[str, tensor_pb2.TensorProto],
        output_filter: Sequence[str],
        timer: contextlib.AbstractContextManager,
    ) -> dict[str, np.ndarray]:
        """Answers a request.

        Args:
            inputs: A message for each input alias.
            output_filter: Aliases of the outputs wanted; none means all.
            timer: Entered while operations run.

        Returns:
            The outputs wanted, by alias.

        Raises:
            StatusError: The request does not fit the signature, or an operation fails.
        """
        arrays = self._parse(inputs)
        aliases = self._check_filter(output_filter) or self._outputs
        self._check_dtypes(inputs)
        if self._strict_shapes:
            self._check_shapes(arrays)
        try:
            with timer:
                results = self._call(*arrays.values())
        except tf.errors.OpError as error:
            raise StatusError(CODES[error.error_code], error.message) from error
        outputs = dict(zip(self._outputs, results, strict=True))
        return {alias: _array(outputs[alias]) for alias in aliases}

    @functools.cached_property
    def _call(self) -> Callable[..., list[np.ndarray]]:
        """From the inputs to all outputs, both in the order of their aliases."""
        feeds = [info.name for info in self._inputs.values()]
        return session_callable(self._session, feeds, self._fetched)

    def _parse(self, inputs: Mapping[str, tensor_pb2.TensorProto]) -> dict[str, np.ndarray]:
        sent, known = set(inputs), set(self._inputs)
        if len(sent) > len(known) or (len(sent) < len(known) and not self._defaults):
            raise invalid_argument(
                f"input size does not match signature: {len(sent)}!={len(known)} "
                f"len({_braces(sent)}) != len({_braces(known)}). "
                f"Sent extra: {_braces(sent - known)}. "
                f"Missing but required: {_braces(known - sent)}."
            )
        arrays = {}
        for alias, info in self._inputs.items():
            proto = inputs.get(alias, self._defaults.get(alias))
            if proto is None:
                raise invalid_argument(
                    f"Signature input alias: {alias}(feed name: {info.name}) not found in request "
                    "and no default value provided. Inputs expected to be in the request "
                    f"{_braces(sent)}, or default input alias set: "
                    f"{','.join(sorted(self._defaults))}"
                )
            arrays[alias] = _parse_tensor(alias, proto)
        if sent - known:
            raise invalid_argument(
                f"Inputs contains invalid name. Used request inputs: "
                f"{','.join(sorted(sent & known))}, request input: {','.join(sorted(sent))}"
            )
        return arrays

    def _check_filter(self, output_filter: Sequence[str]) -> list[str]:
        seen: list[str] = []
        for alias in output_filter:
            if alias not in self._outputs:
                raise invalid_argument(
                    f"output tensor alias not found in signature: {alias} "
                    f"Outputs expected to be in the set {_braces(self._outputs)}."
                )
            if alias in seen:
                raise invalid_argument(f"duplicate output tensor alias: {alias}")
            seen.append(alias)
        return seen

    def _check_dtypes(self, inputs: Mapping[str, tensor_pb2.TensorProto]) -> None:
        for index, (alias, info) in enumerate(self._inputs.items()):
            if alias in inputs and inputs[alias].dtype != info.dtype:
                raise invalid_argument(
                    f"Expects arg[{index}] to be {type_name(info.dtype)} "
                    f"but {type_name(inputs[alias].dtype)} is provided"
                )

    def _check_shapes(self, arrays: Mapping[str, np.ndarray]) -> None:
        for index, (alias, info) in enumerate(self._inputs.items()):
            declared, shape = info.tensor_shape, arrays[alias].shape
            if not _fits(shape, declared):
                raise invalid_argument(
                    f"Expects arg[{index}] to be of shape {_shape_text(declared)} "
                    f"but {list(shape)} is provided"
                )


def signature_not_found(name: str) -> StatusError:
    """The answer of Predict where a model has no such signature."""
    return failed_precondition(f'Serving signature key "{name}" not found.')


def _parse_tensor(alias: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    shape = [dim.size for dim in proto.tensor_shape.dim]
    try:
        # NumPy would read a negative size as "whatever is left".
        if proto.tensor_shape.unknown_rank or min(shape, default=0) < 0:
            raise ValueError("the shape is not fully known")
        size = _array_bytes(proto, math.prod(shape))
        if size > max(_LARGEST_REPEATED, _GROWTH * proto.ByteSize()):
            raise ValueError("the tensor is far larger than its message")
        return read_array(proto)
    except (KeyError, TypeError, ValueError) as error:
        raise invalid_argument(f"tensor parsing error: {alias}") from error


def _array_bytes(proto: tensor_pb2.TensorProto, elements: int) -> int:
    """Memory of a tensor, at most; the last of its strings stands for those that are not there."""
    dtype = tf.as_dtype(proto.dtype)
    if dtype != tf.string:
        return elements * dtype.size
    values = proto.string_val
    repeated = (elements - len(values)) * len(values[-1]) if values else 0
    return elements * _STRING_BYTES + proto.ByteSize() + max(repeated, 0)


def _array(value: np.ndarray | np.generic | bytes) -> np.ndarray:
    # A scalar string comes as bytes, of which NumPy's own string type would strip zeros.
    return np.asarray(value, object if isinstance(value, bytes) else None)


def _braces(aliases: Iterable[str]) -> str:
    return "{" + ",".join(sorted(aliases)) + "}"


def _fits(shape: Sequence[int], declared: tensor_shape_pb2.TensorShapeProto) -> bool:
    """Whether a shape has the sizes that are declared; -1 is not."""
    return declared.unknown_rank or (
        len(shape) == len(declared.dim)
        and all(dim.size in (-1, size) for dim, size in zip(declared.dim, shape, strict=True))
    )


def _shape_text(shape: tensor_shape_pb2.TensorShapeProto) -> str:
    return str([None if dim.size < 0 else dim.size for dim in shape.dim])
