"""The REST form of Classify and Regress: JSON to tf.Examples, and their results to JSON."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import input_pb2
from tensorflow_serving.apis import regression_pb2

from semantic_id_ranking.serving.server.json_document import json_text
from semantic_id_ranking.serving.server.json_document import json_type
from semantic_id_ranking.serving.server.json_tensor import decode_base64
from semantic_id_ranking.serving.server.json_tensor import is_object
from semantic_id_ranking.serving.server.json_tensor import shortest_decimal
from semantic_id_ranking.serving.server.json_tensor import to_array
from semantic_id_ranking.serving.server.status import invalid_argument

_CONTEXT = "context"
_EXAMPLES = "examples"
_KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def examples_input(document: Mapping[str, Any]) -> input_pb2.Input:
    """Reads the body of a classify or a regress request.

    Args:
        document: A JSON object with `examples`, a list of objects of features, and perhaps
            `context`, such an object, whose features all examples share.

    Raises:
        StatusError: It is something else.
    """
    parsed = input_pb2.Input()
    if _CONTEXT in document:
        context = parsed.example_list_with_context.context
        _read_example(document[_CONTEXT], context)
    if _EXAMPLES not in document:
        raise invalid_argument(
            f"JSON Value: {json_text(document)} When method is classify, key '{_EXAMPLES}' is "
            "expected and was not found"
        )
    examples = document[_EXAMPLES]
    if not isinstance(examples, list):
        raise invalid_argument(
            f"JSON Value: {json_text(document)} Expecting '{_EXAMPLES}' value to be an list/array"
        )
    if not examples:
        raise invalid_argument(
            f"JSON Value: {json_text(document)} '{_EXAMPLES}' value is an empty array"
        )
    kind = "example_list_with_context" if _CONTEXT in document else "example_list"
    for example in examples:
        _read_example(example, getattr(parsed, kind).examples.add())
    return parsed


def classification_json(result: classification_pb2.ClassificationResult) -> dict[str, Any]:
    """Writes a pair of label and score for each class of each example."""
    return {
        "results": [
            [[one.label, shortest_decimal(one.score)] for one in row.classes]
            for row in result.classifications
        ]
    }


def regression_json(result: regression_pb2.RegressionResult) -> dict[str, Any]:
    """Writes a value for each example."""
    return {"results": [shortest_decimal(one.value) for one in result.regressions]}


def _read_example(value: Any, example: tf.train.Example) -> None:
    if not isinstance(value, dict):
        raise invalid_argument(f"Example must be JSON object but got JSON {json_type(value)}")
    for name, content in value.items():
        feature = example.features.feature[name]
        elements = content if isinstance(content, list) else [content]
        kinds = set(map(type, elements))
        # What long lists hold, read by lists, not one by one.
        if kinds == {float}:
            feature.float_list.value.extend(elements)
            continue
        if kinds == {int} and min(elements) >= -(2**63) and max(elements) < 2**63:
            feature.int64_list.value.extend(elements)
            continue
        for element in elements:
            kind, read = _read_element(element, name)
            held = feature.WhichOneof("kind")
            if held not in (None, kind):
                raise invalid_argument(
                    f"Unexpected element type in feature: {name} expecting type: {_KINDS[held]}"
                )
            getattr(feature, kind).value.append(read)


def _read_element(value: Any, name: str) -> tuple[str, Any]:
    """The list of a Feature that a value goes into, and how."""
    if isinstance(value, bool):
        return "int64_list", int(value)
    if isinstance(value, str):
        return "bytes_list", value.encode()
    if isinstance(value, dict) and not is_object(value):
        return "bytes_list", decode_base64(value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return "int64_list", value
    if isinstance(value, int) and 0 <= value < 2**64:
        raise invalid_argument(f"Feature: {name} has uint64 element. Only int64 is supported.")
    if isinstance(value, float):
        return "float_list", value
    if isinstance(value, int):
        return "float_list", to_array(value, types_pb2.DT_FLOAT).item()
    raise invalid_argument(
        f"Feature: {name} has element with unexpected JSON type: {json_type(value)}"
    )
