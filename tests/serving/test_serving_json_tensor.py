"""JSON values to arrays."""

import json

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from semantic_id_ranking.serving.server.json_tensor import inputs_to_arrays
from semantic_id_ranking.serving.server.json_tensor import instances_to_arrays
from semantic_id_ranking.serving.server.json_tensor import to_array
from semantic_id_ranking.serving.server.status import StatusError

FLOAT, INT64, STRING, BOOL = (
    types_pb2.DT_FLOAT,
    types_pb2.DT_INT64,
    types_pb2.DT_STRING,
    types_pb2.DT_BOOL,
)


def infos(**dtypes):
    return {alias: meta_graph_pb2.TensorInfo(dtype=dtype) for alias, dtype in dtypes.items()}


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1, FLOAT, np.float32(1)),
        ([[1, 2.5], [3, 4]], FLOAT, np.array([[1, 2.5], [3, 4]], np.float32)),
        ([[]], INT64, np.zeros((1, 0), np.int64)),
        ([2**63 - 1, -(2**63)], INT64, np.array([2**63 - 1, -(2**63)], np.int64)),
        ([True, False], BOOL, np.array([True, False])),
        (["a", {"b64": "/wA="}], STRING, np.array([b"a", b"\xff\0"], object)),
        (16777215, FLOAT, np.float32(16777215)),
    ],
)
def test_values_keep_shape_and_type(value, dtype, expected):
    array = to_array(value, dtype)
    np.testing.assert_array_equal(array, expected)
    assert (array.dtype, array.shape) == (expected.dtype, expected.shape)


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        ("x", FLOAT, 'JSON Value: "x" Type: String is not of expected type: float'),
        (True, INT64, "JSON Value: true Type: True is not of expected type: int64"),
        (None, FLOAT, "JSON Value: null Type: Null is not of expected type: float"),
        (1.5, INT64, "JSON Value: 1.5 Type: Number is not of expected type: int64"),
        (2**63, INT64, f"JSON Value: {2**63} Type: Number is not of expected type: int64"),
        (1, BOOL, "JSON Value: 1 Type: Number is not of expected type: bool"),
        (1, STRING, "JSON Value: 1 Type: Number is not of expected type: string"),
        (
            16777217,
            FLOAT,
            "Cannot convert JSON value: 16777217 to float without loss of precision.",
        ),
        (1e39, FLOAT, "Cannot convert JSON value: 1e+39 to float without loss of precision."),
        (
            [[1], [1, 2]],
            INT64,
            "Encountered list at unexpected size: 2 at level: 1 expected size: 1",
        ),
        ([1, [2]], INT64, "Encountered list at unexpected level: 1 expected < 1"),
        (
            [[1], 2],
            INT64,
            "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
        ),
        ({"b64": "*"}, STRING, "Unable to base64 decode"),
        ({"b65": ""}, STRING, 'JSON Value: {"b65": ""} not formatted correctly for base64 data'),
        (json.loads("[" * 40 + "]" * 40), INT64, "Encountered list at unexpected level: 40"),
    ],
)
def test_values_that_do_not_fit(value, dtype, message):
    with pytest.raises(StatusError) as caught:
        to_array(value, dtype)
    assert (caught.value.code.name, caught.value.message) == ("INVALID_ARGUMENT", message)


def test_instances_become_rows():
    found = instances_to_arrays(
        [{"a": [1, 2], "b": "x"}, {"a": [3, 4], "b": "y"}], infos(a=INT64, b=STRING)
    )
    assert found["a"].tolist() == [[1, 2], [3, 4]]
    assert found["b"].tolist() == [b"x", b"y"]
    assert instances_to_arrays([[1], [2]], infos(a=INT64))["a"].tolist() == [[1], [2]]


def test_inputs_become_columns():
    assert inputs_to_arrays({"a": [1], "b": "x"}, infos(a=INT64, b=STRING))["b"].item() == b"x"
    assert inputs_to_arrays([1, 2], infos(a=INT64))["a"].tolist() == [1, 2]
    assert inputs_to_arrays({"b64": "eA=="}, infos(a=STRING))["a"].item() == b"x"


@pytest.mark.parametrize(
    ("read", "value", "inputs", "message"),
    [
        (
            instances_to_arrays,
            {},
            infos(a=INT64),
            "JSON Value: {} Excepting 'instances' to be an list/array",
        ),
        (
            instances_to_arrays,
            [],
            infos(a=INT64),
            "JSON Value: [] No values in 'instances' array",
        ),
        (
            instances_to_arrays,
            [1],
            infos(a=INT64, b=INT64),
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map",
        ),
        (
            instances_to_arrays,
            [{"a": 1}, [1]],
            infos(a=INT64),
            "Expecting object but got list at item 1 of input list",
        ),
        (
            instances_to_arrays,
            [{"a": 1, "b": 1}, {"a": 1}],
            infos(a=INT64, b=INT64),
            "Failed to process element: 1 of 'instances' list. JSON object: "
            '{"a": 1} keys must be equal to: a,b',
        ),
        (
            inputs_to_arrays,
            [1],
            infos(a=INT64, b=INT64),
            "inputs is a plain value/list, but expecting an object as multiple input tensors "
            "required as per tensorinfo_map",
        ),
        (
            inputs_to_arrays,
            {"a": 1},
            infos(a=INT64, b=INT64),
            "Missing named input: b in 'inputs' object.",
        ),
    ],
)
def test_inputs_that_do_not_fit(read, value, inputs, message):
    with pytest.raises(StatusError) as caught:
        read(value, inputs)
    assert caught.value.message == message
