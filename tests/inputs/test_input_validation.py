"""Messages on every fault of a file of items."""

import dataclasses
import datetime

import numpy as np
import pyarrow as pa
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.first_impressions import lacks_creation
from semantic_id_ranking.inputs.items import check_columns
from semantic_id_ranking.inputs.items import check_items
from semantic_id_ranking.inputs.items import CreationCounts
from semantic_id_ranking.inputs.timestamps import to_microseconds
from tests.inputs import parquet_files
from tests.inputs.parquet_files import assert_says
from tests.inputs.parquet_files import days
from tests.inputs.parquet_files import item_parameters
from tests.inputs.parquet_files import vectors


def item_error(tmp_path, row_group_size=None, parameters=None, **changes):
    """The message that a file of items is refused with."""
    path = parquet_files.write(
        parquet_files.items(**changes), tmp_path / "items.parquet", row_group_size
    )
    with pytest.raises(InputError) as caught:
        check_items(DataSet.open(path), parameters or item_parameters(), None)
    return str(caught.value)


def test_good_items_pass(tmp_path):
    path = parquet_files.write(parquet_files.items(), tmp_path / "items.parquet", row_group_size=3)
    (block,), counts = check_items(DataSet.open(path), item_parameters(), None)
    assert (block.block.rows, block.embedding_dim, block.carried) == (4, 2, [])
    day = parquet_files.DAY_MICROSECONDS
    created = [parquet_files.DAY_0_MICROSECONDS + i * day for i in range(4)]
    np.testing.assert_array_equal(block.created_at, created)
    assert dataclasses.astuple(counts) == (0, 0, 0)


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
    message = item_error(tmp_path, parameters=item_parameters(embedding_dim=3))
    assert_says(message, "column 'embedding', row 0", "length 2", "expected length 3", "configured")


def test_empty_embeddings(tmp_path):
    message = item_error(tmp_path, embedding=vectors([[], [], [], []]))
    assert_says(message, "column 'embedding', row 0", "length 0", "length 1 or more")


def test_null_embedding(tmp_path):
    message = item_error(tmp_path, embedding=vectors([[1, 0], None, [3, 3], [0, 1]]))
    assert_says(message, "column 'embedding', row 1 ", "found null", "a list of 2 floats")


@pytest.mark.parametrize(
    ("value", "found"),
    [(float("nan"), "nan"), (float("inf"), "inf"), (-np.inf, "-inf"), (None, "null")],
)
def test_value_inside_an_embedding_that_is_not_finite(tmp_path, value, found):
    wrong = vectors([[1.0, 0.0], [0.0, 2.0], [3.0, value], [0.5, 1.0]])
    message = item_error(tmp_path, row_group_size=2, embedding=wrong)
    assert_says(message, "column 'embedding', row 2 ", f"found {found} at position 1", "finite")


def test_float64_too_large_for_float32(tmp_path):
    wrong = vectors([[1.0, 0.0], [1e39, 2.0], [3.0, 3.0], [0.5, 1.0]], pa.list_(pa.float64()))
    assert_says(item_error(tmp_path, embedding=wrong), "row 1 ", "1e+39 at position 0")


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (pa.array([[1], [2], [3], [4]]), "list<int64>"),
        (pa.array(["x"] * 4), "string"),
        (pa.array([1.0] * 4), "double"),
    ],
)
def test_embedding_of_a_wrong_type(tmp_path, column, found):
    message = item_error(tmp_path, embedding=column)
    assert_says(message, "column 'embedding'", f"{found}, expected a list of float32")


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
        check_items(DataSet.open(str(tmp_path / "*.parquet")), item_parameters(), None)
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
    assert_says(message, "column 'created_at'", "the type int64", "a timestamp", "pd.to_datetime")


def test_any_date_of_creation_is_kept_and_strange_ones_are_counted(tmp_path):
    now = datetime.datetime.now(datetime.timezone.utc)
    times = [
        datetime.datetime(1605, 1, 16, tzinfo=datetime.timezone.utc),
        datetime.datetime(1969, 12, 31, tzinfo=datetime.timezone.utc),
        now + datetime.timedelta(days=400),
        None,
    ]
    created = pa.array(times, pa.timestamp("us", tz="UTC"))
    path = parquet_files.write(parquet_files.items(created_at=created), tmp_path / "items.parquet")
    log = parquet_files.write(parquet_files.impressions(), tmp_path / "log.parquet")
    (block,), counts = check_items(DataSet.open(path), item_parameters(), DataSet.open(log))
    assert counts == CreationCounts(missing=1, future=1, before_1970=2)
    # Item "d" was first impressed on day 3.
    expected = [to_microseconds(time) for time in times[:3]]
    expected.append(parquet_files.DAY_0_MICROSECONDS + 3 * parquet_files.DAY_MICROSECONDS)
    np.testing.assert_array_equal(block.created_at, expected)


def test_a_creation_that_no_calendar_has_is_refused(tmp_path):
    # 1,704,067,200,000 seconds are 53,999.7 years of 31,556,952 seconds.
    wrong = pa.array([1_704_067_200_000] * 4, pa.timestamp("s"))
    message = item_error(tmp_path, created_at=wrong)
    assert_says(message, "column 'created_at', row 0 ", "item 'a'", "55969-", "years 1 to 9999")


def test_ids_that_are_not_utf8(tmp_path):
    wrong = pa.array([b"a", b"caf\xe9", b"c", b"d"])
    assert_says(item_error(tmp_path, item_id=wrong), "row 1 ", r"b'caf\xe9'", "UTF-8")


def test_no_item_to_train_on(tmp_path):
    message = item_error(tmp_path, parameters=item_parameters(evaluation_start="2024-01-01"))
    assert_says(message, "items.parquet", "training split is empty", "2024-01-01T00:00:00+00:00")


def test_a_column_that_cannot_be_carried_along_is_left_out(tmp_path):
    table = parquet_files.items(origin=pa.array([{"x": 1}] * 4), price=pa.array([0.5] * 4))
    data = DataSet.open(parquet_files.write(table, tmp_path / "items.parquet"))
    (note,) = check_columns(data, item_parameters())
    assert_says(note, "column 'origin' is left out", "struct(x bigint)", "a string, integer, float")
    (block,), _ = check_items(data, item_parameters(), None)
    assert block.carried == ["price"]


@pytest.mark.parametrize(
    ("created", "needed"), [([0, 1, 2, 3], False), ([0, 1, None, 3], True), (None, True)]
)
def test_items_that_need_their_first_impressions(tmp_path, created, needed):
    table = parquet_files.items(created_at=None if created is None else days(created))
    path = parquet_files.write(table, tmp_path / "items.parquet", row_group_size=2)
    assert lacks_creation(DataSet.open(path), "created_at") == needed
    assert lacks_creation(DataSet.open(path), None)
