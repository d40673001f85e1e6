"""Every way a file of items can be wrong, and what the message says of it."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet.items import check_items
from tests.components import parquet_files
from tests.components.parquet_files import assert_says
from tests.components.parquet_files import item_parameters
from tests.components.parquet_files import vectors


def item_error(tmp_path, row_group_size=None, parameters=None, **changes):
    """The message that a file of items is refused with."""
    path = parquet_files.write(
        parquet_files.items(**changes), tmp_path / "items.parquet", row_group_size
    )
    with pytest.raises(InputError) as caught:
        check_items(path, parameters or item_parameters())
    return str(caught.value)


def test_good_items_pass_as_blocks_of_their_row_groups(tmp_path):
    path = parquet_files.write(parquet_files.items(), tmp_path / "items.parquet", row_group_size=3)
    blocks = check_items(path, item_parameters())
    assert [(b.group.first_row, b.group.rows, b.embedding_dim) for b in blocks] == [
        (0, 3, 2),
        (3, 1, 2),
    ]
    day = parquet_files.DAY_MICROSECONDS
    first = [parquet_files.DAY_0_MICROSECONDS + i * day for i in range(3)]
    np.testing.assert_array_equal(blocks[0].created_at, first)


@pytest.mark.parametrize("column", ["item_id", "embedding"])
def test_missing_column_of_items(tmp_path, column):
    message = item_error(tmp_path, **{column: None})
    others = {"item_id", "embedding", "created_at", "title"} - {column}
    assert_says(message, "items.parquet", f"column '{column}'", "is missing", *others)


def test_embedding_shorter_than_the_first(tmp_path):
    # Row groups of two: the row number counts from the file's beginning.
    wrong = vectors([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [0.5]])
    message = item_error(tmp_path, row_group_size=2, embedding=wrong)
    assert_says(
        message,
        "items.parquet: column 'embedding', row 3 (counted from 0)",
        "length 1",
        "2",
        "row 0",
    )


def test_embedding_of_another_length_than_configured(tmp_path):
    message = item_error(tmp_path, parameters=item_parameters(embedding_dim=3.0))
    assert_says(message, "column 'embedding', row 0", "length 2", "expected length 3", "configured")


def test_empty_embeddings(tmp_path):
    message = item_error(tmp_path, embedding=vectors([[], [], [], []]))
    assert_says(message, "column 'embedding', row 0", "length 0", "length 1 or more")


def test_null_embedding(tmp_path):
    message = item_error(tmp_path, embedding=vectors([[1, 0], None, [3, 3], [0, 1]]))
    assert_says(message, "column 'embedding', row 1 ", "found null", "a list of 2 floats")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(float("nan"), "nan"), (float("inf"), "inf"), (-np.inf, "-inf"), (None, "null")],
)
def test_value_inside_an_embedding_that_is_not_finite(tmp_path, value, shown):
    wrong = vectors([[1.0, 0.0], [0.0, 2.0], [3.0, value], [0.5, 1.0]])
    message = item_error(tmp_path, row_group_size=2, embedding=wrong)
    assert_says(message, "column 'embedding', row 2 ", f"found {shown} at position 1", "finite")


def test_float64_too_large_for_float32(tmp_path):
    wrong = vectors([[1.0, 0.0], [1e39, 2.0], [3.0, 3.0], [0.5, 1.0]], pa.list_(pa.float64()))
    assert_says(item_error(tmp_path, embedding=wrong), "row 1 ", "1e+39 at position 0")


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (pa.array([[1], [2], [3], [4]]), ": int64>"),
        (pa.array(["x"] * 4), "string"),
        (pa.array([1.0] * 4), "double"),
    ],
)
def test_embedding_of_a_wrong_type(tmp_path, column, shown):
    message = item_error(tmp_path, embedding=column)
    assert_says(message, "column 'embedding'", f"{shown}, expected a list of float32")


def test_duplicate_item(tmp_path):
    message = item_error(tmp_path, row_group_size=2, item_id=pa.array(["a", "b", "c", "b"]))
    assert_says(message, "column 'item_id', row 3 ", "'b'", "first in row 1", "each item once")


def test_item_repeated_at_once(tmp_path):
    message = item_error(tmp_path, item_id=pa.array(["a", "b", "c", "c"]))
    assert_says(message, "row 3 ", "'c' again", "first in row 2")


def test_duplicate_integer_item(tmp_path):
    message = item_error(tmp_path, item_id=pa.array([0, 5, 0, 5]))
    assert_says(message, "row 2 ", "'0' again", "first in row 0")


def test_duplicate_over_two_files(tmp_path):
    parquet_files.write(parquet_files.items(), tmp_path / "1.parquet")
    second = parquet_files.items(item_id=pa.array(["w", "x", "c", "z"]))
    parquet_files.write(second, tmp_path / "2.parquet")
    with pytest.raises(InputError) as caught:
        check_items(str(tmp_path / "*.parquet"), item_parameters())
    message = str(caught.value)
    assert_says(message, "2.parquet: column 'item_id', row 2 ", "'c'", "first in row 2 of")
    assert message.count("1.parquet") == 1


def test_null_item_id(tmp_path):
    message = item_error(tmp_path, row_group_size=3, item_id=pa.array(["a", "b", "c", None]))
    assert_says(message, "column 'item_id', row 3 ", "found null")


def test_empty_item_id(tmp_path):
    message = item_error(tmp_path, item_id=pa.array(["a", "", "c", "d"]))
    assert_says(message, "column 'item_id', row 1 ", "found an empty string")


def test_item_id_of_a_wrong_type(tmp_path):
    message = item_error(tmp_path, item_id=pa.array([1.0, 2.0, 3.0, 4.0]))
    assert_says(message, "column 'item_id'", "the type double", "a string or an integer")


def test_created_at_as_integers(tmp_path):
    message = item_error(tmp_path, created_at=pa.array([1_704_067_200] * 4))
    assert_says(
        message, "column 'created_at'", "the type int64", "an Arrow timestamp", "pd.to_datetime"
    )


def test_seconds_written_as_milliseconds(tmp_path):
    # 2024-01-01 in seconds, taken for milliseconds, is a day of January 1970.
    wrong = pa.array([1_704_067_200] * 4, pa.timestamp("ms"))
    message = item_error(tmp_path, created_at=wrong)
    assert_says(message, "column 'created_at', row 0 ", "1970-01-20T17:21:07.200", "another unit")


def test_milliseconds_written_as_seconds(tmp_path):
    # 1,704,067,200,000 seconds are 53,999.7 years of 31,556,952 seconds.
    wrong = pa.array([1_704_067_200_000] * 4, pa.timestamp("s"))
    message = item_error(tmp_path, created_at=wrong)
    assert_says(message, "column 'created_at', row 0 ", "55969-", "another unit")


def test_created_next_week(tmp_path):
    now = datetime.datetime.now(datetime.timezone.utc)
    times = [now + datetime.timedelta(days=n) for n in (-9, 0.5, 7, -1)]
    message = item_error(tmp_path, created_at=pa.array(times, pa.timestamp("us", tz="UTC")))
    # Half a day ahead is tolerated, a week is not.
    assert_says(message, "column 'created_at', row 2 ", times[2].strftime("%Y-%m-%dT%H:%M"))


def test_no_item_to_train_on(tmp_path):
    message = item_error(tmp_path, parameters=item_parameters(evaluation_start="2024-01-01"))
    assert_says(message, "items.parquet", "training split is empty", "2024-01-01T00:00:00+00:00")


def test_carried_column_of_a_type_that_examples_cannot_hold(tmp_path):
    message = item_error(tmp_path, origin=pa.array([{"x": 1}] * 4))
    assert_says(message, "column 'origin'", "struct<x: int64>", "a string, integer, float")
