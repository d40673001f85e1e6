"""Context columns of several numbers, such as counters."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from semantic_id_ranking.serving.client.context_columns import ContextColumns
from semantic_id_ranking.serving.client.errors import MissingInputError

GIVEN = {"item_counters": [[1, 2, 3], [4, 5, 6]], "user_counters": [7.0], "hour": 3}


@pytest.fixture(scope="module")
def columns() -> ContextColumns:
    """Three numbers of each item, one of the user, and one value."""
    definition = meta_graph_pb2.SignatureDef()
    for name, shape in (
        ("context_item_counters", [-1, 3]),
        ("context_user_counters", [1, 1]),
        ("context_hour", [-1]),
        ("candidate_sid", [-1, 2]),
    ):
        info = definition.inputs[name]
        info.dtype = tf.float32.as_datatype_enum
        for size in shape:
            info.tensor_shape.dim.add(size=size)
    return ContextColumns(definition.inputs)


def test_rows_are_by_candidate_or_the_users(columns):
    arrays = columns.arrays(GIVEN, 2)
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "context_item_counters": [[1, 2, 3], [4, 5, 6]],
        "context_user_counters": [[7]],
        "context_hour": [3],
    }
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}


def test_one_row_is_that_of_all_candidates(columns):
    arrays = columns.arrays({**GIVEN, "item_counters": [1, 2, float("nan")]}, 3)
    np.testing.assert_array_equal(arrays["context_item_counters"], [[1, 2, np.nan]])


def test_a_missing_column_is_named_with_its_width(columns):
    given = {name: value for name, value in GIVEN.items() if name != "item_counters"}
    with pytest.raises(MissingInputError) as caught:
        columns.arrays({**given, "items_counters": [1, 2, 3]}, 2)
    assert str(caught.value) == (
        "the ranker asks for context columns hour, item_counters, user_counters, but context holds "
        "hour, items_counters, user_counters; missing: item_counters (3 of float32), which "
        "items_counters may be meant for"
    )


@pytest.mark.parametrize(
    ("value", "shape_and_type"),
    [
        ([1, 2], r"(2,) and type int64"),
        ([[1, 2], [3, 4]], r"(2, 2) and type int64"),
        ([[1, 2, 3], [4]], r"(2,) and type object"),
        ([["1", "2", "3"]], r"(1, 3) and type <U1"),
        (7.0, r"() and type float64"),
        ([[[1, 2, 3]]], r"(1, 1, 3) and type int64"),
    ],
)
def test_what_are_not_so_many_numbers_is_refused(columns, value, shape_and_type):
    with pytest.raises(ValueError) as caught:
        columns.arrays({**GIVEN, "item_counters": value}, 2)
    assert str(caught.value) == (
        f"context item_counters has shape {shape_and_type}; 3 numbers are wanted, or so many for "
        "each candidate"
    )


def test_rows_of_other_candidates_are_refused(columns):
    with pytest.raises(
        ValueError, match="item_counters holds 2 values; 1 or one for each of the 3"
    ):
        columns.arrays(GIVEN, 3)
    with pytest.raises(ValueError, match="user_counters holds 2 rows of numbers; it is the user's"):
        columns.arrays({**GIVEN, "user_counters": [[1], [2]]}, 2)
