"""Every way an impression log can be wrong, and what the message says of it."""

import pyarrow as pa
import pytest

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet.impressions import check_impressions
from tests.components import parquet_files
from tests.components.parquet_files import assert_says
from tests.components.parquet_files import days
from tests.components.parquet_files import impression_parameters


def impression_error(tmp_path, row_group_size=None, parameters=None, **changes):
    """The message that an impression log is refused with."""
    path = parquet_files.write(
        parquet_files.impressions(**changes), tmp_path / "log.parquet", row_group_size
    )
    with pytest.raises(InputError) as caught:
        check_impressions(path, parameters or impression_parameters())
    return str(caught.value)


@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp"])
def test_missing_column_of_impressions(tmp_path, column):
    assert_says(impression_error(tmp_path, **{column: None}), f"column '{column}'", "is missing")


def test_label_that_does_not_exist(tmp_path):
    parameters = impression_parameters(tasks=[{"name": "buy", "label": "bought", "type": "binary"}])
    message = impression_error(tmp_path, parameters=parameters)
    assert_says(
        message,
        "log.parquet: column 'bought' (the label of task 'buy') is missing",
        "user_id, item_id, timestamp, click",
    )


@pytest.mark.parametrize("kind", ["categorical", "numeric"])
def test_context_column_that_does_not_exist(tmp_path, kind):
    message = impression_error(
        tmp_path, parameters=impression_parameters(context={kind: ["country"]})
    )
    assert_says(message, "column 'country'", kind, "is missing", "click")


def test_current_item_column_that_does_not_exist(tmp_path):
    message = impression_error(tmp_path, parameters=impression_parameters(current_item_id="now"))
    assert_says(message, "column 'now' (the current item) is missing")


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_null_id_in_impressions(tmp_path, column):
    wrong = pa.array([*"abcdefg", None, "h", "i"])
    message = impression_error(tmp_path, row_group_size=4, **{column: wrong})
    assert_says(message, f"column '{column}', row 7 ", "found null")


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_id_of_a_wrong_type_in_impressions(tmp_path, column):
    message = impression_error(tmp_path, **{column: pa.array([0.5] * 10)})
    assert_says(message, f"column '{column}'", "the type double", "a string or an integer")


@pytest.mark.parametrize(
    ("values", "kind", "row", "shown"),
    [
        ([0, 1, 2, 0, 1, 0, 1, 0, 1, 0], pa.int8(), 2, "2"),
        ([0, -1, 1, 0, 1, 0, 1, 0, 1, 0], pa.int64(), 1, "-1"),
        ([0, 1, 0, 0.5, 1, 0, 1, 0, 1, 0], pa.float32(), 3, "0.5"),
        ([0, 1, 0, 0, 1, 0, float("nan"), 0, 1, 0], pa.float64(), 6, "nan"),
        ([0, 1, 0, 0, None, 0, 1, 0, 1, 0], pa.int8(), 4, "null"),
        ([True, False, None, True, True, True, True, True, True, True], pa.bool_(), 2, "null"),
    ],
)
def test_binary_label_that_is_neither_0_nor_1(tmp_path, values, kind, row, shown):
    message = impression_error(tmp_path, click=pa.array(values, kind))
    assert_says(message, f"column 'click', row {row} ", f"found {shown}", "0 or 1")


def test_binary_label_of_strings(tmp_path):
    message = impression_error(tmp_path, click=pa.array(["1"] * 10))
    assert_says(message, "column 'click'", "the type string", "0 or 1")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "null"), (float("nan"), "nan"), (float("inf"), "inf"), (1e39, "1e+39")],
)
def test_regression_label_that_is_not_finite(tmp_path, value, shown):
    parameters = impression_parameters(
        tasks=[{"name": "time", "label": "seconds", "type": "regression"}]
    )
    seconds = pa.array([0.0, 1.5, 2.0, value, *[0.0] * 6], pa.float64())
    message = impression_error(tmp_path, 2, parameters, seconds=seconds)
    assert_says(message, "column 'seconds', row 3 ", f"found {shown}", "a finite number")


def test_numeric_context_that_is_infinite(tmp_path):
    parameters = impression_parameters(context={"numeric": ["price"]})
    price = pa.array([1.0, None, float("nan"), float("inf"), *[0.0] * 6])
    message = impression_error(tmp_path, parameters=parameters, price=price)
    assert_says(message, "column 'price', row 3 ", "found inf")


def test_categorical_context_of_floats(tmp_path):
    parameters = impression_parameters(context={"categorical": ["tab"]})
    message = impression_error(tmp_path, parameters=parameters, tab=pa.array([0.5] * 10))
    assert_says(message, "column 'tab'", "the type double", "strings, integers or booleans")


def test_timestamps_of_impressions(tmp_path):
    nulls = days([0, 1, 2, None, 4, 5, 6, 7, 8, 9])
    assert_says(impression_error(tmp_path, timestamp=nulls), "'timestamp', row 3 ", "found null")
    early = pa.array([*range(631_152_000, 631_152_009), 631_151_999], pa.timestamp("s"))
    message = impression_error(tmp_path, timestamp=early)
    # 1990-01-01 itself is right, the second before it is not.
    assert_says(message, "column 'timestamp', row 9 ", "1989-12-31T23:59:59")
    integers = pa.array(range(10))
    assert_says(impression_error(tmp_path, timestamp=integers), "the type int64")


def test_evaluation_after_the_last_impression(tmp_path):
    message = impression_error(
        tmp_path, parameters=impression_parameters(evaluation_start="2024-02-01")
    )
    assert_says(
        message,
        "log.parquet",
        "evaluation split is empty",
        "2024-02-01T00:00:00+00:00",
        "2024-01-10T00:00:00+00:00",
    )


def test_evaluation_of_the_last_impression_alone(tmp_path):
    path = parquet_files.write(parquet_files.impressions(), tmp_path / "log.parquet")
    (group,) = check_impressions(path, impression_parameters(evaluation_start="2024-01-10"))
    assert group.rows == 10


def test_evaluation_at_the_first_impression(tmp_path):
    message = impression_error(
        tmp_path, parameters=impression_parameters(evaluation_start="2024-01-01")
    )
    assert_says(message, "training split is empty", "earliest time is 2024-01-01T00:00:00+00:00")


def test_one_column_with_two_meanings(tmp_path):
    parameters = impression_parameters(context={"numeric": ["click"]})
    assert_says(impression_error(tmp_path, parameters=parameters), "'click'", "two meanings")
