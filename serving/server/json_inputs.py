"""JSON to tensors: the `instances` and `inputs` of a REST predict request."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2

from semantic_id_ranking.serving.server.json_document import json_text
from semantic_id_ranking.serving.server.json_tensor import is_object
from semantic_id_ranking.serving.server.json_tensor import to_array
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import StatusError

Inputs = Mapping[str, meta_graph_pb2.TensorInfo]

# Instances that are looked at one by one where one of them does not fit.
_CHUNK = 256


def instances_to_arrays(instances: Any, infos: Inputs) -> dict[str, np.ndarray]:
    """Reads the row format: one value, or one object of named values, an instance.

    Args:
        instances: A list that is not empty.
        infos: What the signature declares of each input.

    Returns:
        Arrays by alias, whose first dimension counts the instances.

    Raises:
        StatusError: An instance does not fit.
    """
    if not isinstance(instances[0], dict) and len(infos) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple input "
            "tensors required as per tensorinfo_map"
        )
    named = is_object(instances[0])
    try:
        columns = _columns(instances, infos, named)
        return {alias: to_array(columns[alias], info.dtype) for alias, info in infos.items()}
    except StatusError:
        # In the words that TensorFlow Serving has for the first instance that does not fit.
        _check_instances(instances, infos, named)
        raise


def inputs_to_arrays(inputs: Any, infos: Inputs) -> dict[str, np.ndarray]:
    """Reads the columnar format: an object of tensors, or the tensor of the only input.

    Args:
        inputs: The decoded JSON value.
        infos: What the signature declares of each input.

    Returns:
        Arrays by alias.

    Raises:
        StatusError: An input is missing or does not fit.
    """
    if not is_object(inputs):
        if len(infos) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        inputs = dict.fromkeys(infos, inputs)
    for alias in infos:
        if alias not in inputs:
            raise invalid_argument(f"Missing named input: {alias} in 'inputs' object.")
    return {alias: to_array(inputs[alias], info.dtype) for alias, info in infos.items()}


def _columns(instances: list, infos: Inputs, named: bool) -> dict[str, list]:
    """The values of each input, one an instance."""
    if any(is_object(instance) != named for instance in instances):
        raise invalid_argument("instances are either all objects or none of them")
    if not named:
        return dict.fromkeys(infos, instances)
    if any(instance.keys() != infos.keys() for instance in instances):
        raise invalid_argument("instances have the keys of the inputs")
    return {alias: [instance[alias] for instance in instances] for alias in infos}


def _check_instances(instances: list, infos: Inputs, named: bool) -> None:
    """Raises for the first instance that does not fit."""
    shapes: dict[str, tuple[int, ...]] = {}
    for start in range(0, len(instances), _CHUNK):
        chunk = instances[start : start + _CHUNK]
        if not _fit(chunk, infos, named, shapes):
            for index, instance in enumerate(chunk, start):
                _check_instance(index, instance, infos, named, shapes)


def _fit(instances: list, infos: Inputs, named: bool, shapes: dict[str, tuple[int, ...]]) -> bool:
    """Whether instances fit, with those before them, whose shapes are given, by alias."""
    try:
        columns = _columns(instances, infos, named)
        found = {
            alias: to_array(columns[alias], info.dtype).shape[1:] for alias, info in infos.items()
        }
    except StatusError:
        return False
    return all(shapes.setdefault(alias, shape) == shape for alias, shape in found.items())


def _check_instance(
    index: int, instance: Any, infos: Inputs, named: bool, shapes: dict[str, tuple[int, ...]]
) -> None:
    if is_object(instance) != named:
        expected, found = ("object", "list") if named else ("value/list", "object")
        raise invalid_argument(
            f"Expecting {expected} but got {found} at item {index} of input list"
        )
    for alias, value in (instance if named else dict.fromkeys(infos, instance)).items():
        try:
            _check_instance_item(alias, value, infos, shapes)
        except StatusError as error:
            key = f" key: {alias}" if named else ""
            raise invalid_argument(
                f"Failed to process element: {index}{key} of 'instances' list. Error: "
                f"{error.code.name}: {error.message}"
            ) from error
    if named and instance.keys() != infos.keys():
        raise invalid_argument(
            f"Failed to process element: {index} of 'instances' list. JSON object: "
            f"{json_text(instance)} keys must be equal to: {','.join(sorted(infos))}"
        )


def _check_instance_item(
    alias: str, value: Any, infos: Inputs, shapes: dict[str, tuple[int, ...]]
) -> None:
    if alias not in infos:
        raise invalid_argument(f"JSON object: does not have named input: {alias}")
    shape = to_array(value, infos[alias].dtype).shape
    expected = shapes.setdefault(alias, shape)
    if math.prod(shape) != math.prod(expected):
        raise invalid_argument(
            f"Expecting tensor size: {math.prod(expected)} but got: {math.prod(shape)}"
        )
    if shape != expected:
        raise invalid_argument(
            f"Expecting shape {_shape_text(expected)} but got: {_shape_text(shape)}"
        )


def _shape_text(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
