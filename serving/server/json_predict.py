"""The REST form of Predict: JSON to a request, and its answer to JSON."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from semantic_id_ranking.serving.server.json_document import json_text
from semantic_id_ranking.serving.server.json_inputs import inputs_to_arrays
from semantic_id_ranking.serving.server.json_inputs import instances_to_arrays
from semantic_id_ranking.serving.server.json_tensor import JSON_DTYPES
from semantic_id_ranking.serving.server.servable import DEFAULT_SIGNATURE
from semantic_id_ranking.serving.server.servable import Servable
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.tensor_proto import read_array
from semantic_id_ranking.serving.server.tensor_proto import type_name
from semantic_id_ranking.serving.server.tensor_proto import write_array

_BYTES_SUFFIX = "_bytes"


def predict_request(document: Mapping[str, Any], servable: Servable) -> predict_pb2.PredictRequest:
    """Makes the request that a body stands for.

    Args:
        document: What `parse_json` gives.
        servable: The version that it is for.

    Raises:
        StatusError: The version has no such signature, the body holds neither `instances` nor
            `inputs` or both, or the values do not fit the signature.
    """
    name = document.get("signature_name", "")
    key = name or DEFAULT_SIGNATURE
    if key not in servable.signature_defs:
        raise invalid_argument(f'Serving signature name: "{key}" not found in signature def')
    infos = dict(servable.signature_defs[key].inputs)
    if not infos:
        raise invalid_argument(f"Failed to get input map for signature: {name or 'DEFAULT'}")
    if "instances" in document:
        arrays = instances_to_arrays(_instances(document), infos)
    elif "inputs" in document:
        arrays = inputs_to_arrays(document["inputs"], infos)
    else:
        raise invalid_argument("Missing 'inputs' or 'instances' key")
    request = predict_pb2.PredictRequest(model_spec=servable.model_spec(name))
    for alias, array in arrays.items():
        write_array(array, request.inputs[alias])
    return request


def predict_response_json(
    document: Mapping[str, Any], outputs: Mapping[str, tensor_pb2.TensorProto]
) -> dict[str, Any]:
    """Writes an answer in the format of its request.

    Args:
        document: The request: `instances` asks for `predictions`, `inputs` for `outputs`.
        outputs: Tensors by alias; strings of an alias that ends in `_bytes` are written in base64.

    Returns:
        A value that `json` can write; a single output goes without its alias.

    Raises:
        StatusError: The answer to `instances` has no batch dimension that all outputs share, an
            output is of a type that JSON does not stand for, or a string is not UTF-8.
    """
    arrays = {alias: _writable(proto) for alias, proto in sorted(outputs.items())}
    if "inputs" in document:
        columns = {alias: _values(alias, array) for alias, array in arrays.items()}
        return {"outputs": _unnamed(columns)}
    batch = None
    for alias, array in arrays.items():
        if not array.ndim:
            raise invalid_argument(f"Tensor name: {alias} has no shape information ")
        if batch not in (None, len(array)):
            raise invalid_argument(
                f"Tensor name: {alias} has inconsistent batch size: {len(array)} expecting: {batch}"
            )
        batch = len(array)
    columns = {alias: _values(alias, array) for alias, array in arrays.items()}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [_unnamed(dict(zip(columns, row, strict=True))) for row in rows]}


def _instances(document: Mapping[str, Any]) -> list[Any]:
    if "inputs" in document:
        raise invalid_argument(
            f"JSON Value: {json_text(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    instances = document["instances"]
    if not isinstance(instances, list):
        raise invalid_argument(
            f"JSON Value: {json_text(document)} Expecting 'instances' to be an list/array"
        )
    if not instances:
        raise invalid_argument(f"JSON Value: {json_text(document)} No values in 'instances' array")
    return instances


def _unnamed(values: dict[str, Any]) -> Any:
    return values if len(values) > 1 else next(iter(values.values()))


def _writable(proto: tensor_pb2.TensorProto) -> np.ndarray:
    array = read_array(proto)
    if array.size and proto.dtype not in JSON_DTYPES:
        raise invalid_argument(
            f"Failed to write JSON value for tensor type: {type_name(proto.dtype)}"
        )
    return array


def _values(alias: str, array: np.ndarray) -> Any:
    if array.dtype != object:
        return _shortest(array).tolist() if array.dtype == np.float32 else array.tolist()
    encode = _base64 if alias.endswith(_BYTES_SUFFIX) else _utf8
    flat = np.empty(array.size, object)
    flat[:] = [encode(value) for value in array.ravel()]
    return flat.reshape(array.shape).tolist()


def _shortest(array: np.ndarray) -> np.ndarray:
    """As `shortest_decimal`, in half the time a number."""
    return np.array(list(map(float, map(str, array.ravel())))).reshape(array.shape)


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _utf8(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise invalid_argument(
            "Tensor name: an output that is not UTF-8 has to be named with the suffix _bytes"
        ) from error
