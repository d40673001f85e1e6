"""Messages on every fault of an impression log."""

import datetime

import pyarrow as pa
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.impressions import check_columns
from semantic_id_ranking.inputs.impressions import check_impressions
from semantic_id_ranking.inputs.impressions import impression_features
from tests.inputs import parquet_files
from tests.inputs.parquet_files import assert_says
from tests.inputs.parquet_files import days
from tests.inputs.parquet_files import impression_parameters


def impression_error(tmp_path, row_group_size=None, parameters=None, **changes):
    """The message that an impression log is refused with."""
    path = parquet_files.write(
        parquet_files.impressions(**changes), tmp_path / "log.parquet", row_group_size
    )
    with pytest.raises(InputError) as caught:
        check_impressions(DataSet.open(path), parameters or impression_parameters())
    return str(caught.value)


@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp"])
def test_missing_column_of_impressions(tmp_path, column):
    assert_says(impression_error(tmp_path, **{column: None}), f"column '{column}'", "is missing")


def test_label_that_does_not_exist(tmp_path):
    parameters = impression_parameters(tasks=[{"name": "buy", "label": "sale", "type": "binary"}])
    message = impression_error(tmp_path, parameters=parameters)
    assert_says(
        message,
        "log.parquet: column 'sale' (the label of task 'buy') is missing",
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


def test_null_item_in_impressions(tmp_path):
    wrong = pa.array([*"abcdefg", None, "h", "i"])
    message = impression_error(tmp_path, row_group_size=4, item_id=wrong)
    assert_says(message, "column 'item_id', row 7 ", "found null")


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_empty_id_in_impressions(tmp_path, column):
    wrong = pa.array([*"abcdefg", "", "h", "i"])
    message = impression_error(tmp_path, row_group_size=4, **{column: wrong})
    assert_says(message, f"column '{column}', row 7 ", "an empty string")


@pytest.mark.parametrize("column", ["user_id", "item_id"])
def test_id_of_a_wrong_type_in_impressions(tmp_path, column):
    message = impression_error(tmp_path, **{column: pa.array([0.5] * 10)})
    assert_says(message, f"column '{column}'", "the type double", "a string or an integer")


@pytest.mark.parametrize(
    ("values", "kind", "row", "found"),
    [
        ([0, 1, 2, 0, 1, 0, 1, 0, 1, 0], pa.int8(), 2, "2"),
        ([0, -1, 1, 0, 1, 0, 1, 0, 1, 0], pa.int64(), 1, "-1"),
        ([0, 1, 0, 0.5, 1, 0, 1, 0, 1, 0], pa.float32(), 3, "0.5"),
        ([0, 1, 0, 0, 1, 0, float("nan"), 0, 1, 0], pa.float64(), 6, "nan"),
    ],
)
def test_binary_label_that_is_neither_0_nor_1(tmp_path, values, kind, row, found):
    message = impression_error(tmp_path, click=pa.array(values, kind))
    assert_says(message, f"column 'click', row {row} ", f"found {found}", "0 or 1")


def test_binary_label_of_strings(tmp_path):
    message = impression_error(tmp_path, click=pa.array(["1"] * 10))
    assert_says(message, "column 'click'", "the type string", "0 or 1")


@pytest.mark.parametrize(
    ("value", "found"),
    [(float("nan"), "nan"), (float("inf"), "inf"), (1e39, "1e+39")],
)
def test_regression_label_that_is_not_finite(tmp_path, value, found):
    parameters = impression_parameters(
        tasks=[{"name": "time", "label": "seconds", "type": "regression"}]
    )
    seconds = pa.array([0.0, 1.5, 2.0, value, *[0.0] * 6], pa.float64())
    message = impression_error(tmp_path, 2, parameters, seconds=seconds)
    assert_says(message, "column 'seconds', row 3 ", f"found {found}", "a finite number")


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
    parameters = impression_parameters(evaluation_start="2024-01-10")
    (block,), rejects = check_impressions(DataSet.open(path), parameters)
    assert block.rows == 10 and not rejects


def test_evaluation_at_the_first_impression(tmp_path):
    message = impression_error(
        tmp_path, parameters=impression_parameters(evaluation_start="2024-01-01")
    )
    assert_says(message, "training split is empty", "earliest time is 2024-01-01T00:00:00+00:00")


def test_one_column_with_two_meanings(tmp_path):
    parameters = impression_parameters(context={"numeric": ["click"]})
    assert_says(impression_error(tmp_path, parameters=parameters), "'click'", "two meanings")


def test_seconds_written_as_milliseconds(tmp_path):
    # 2024-01-01 in seconds, taken for milliseconds, is a day of January 1970.
    wrong = pa.array([1_704_067_200] * 10, pa.timestamp("ms"))
    message = impression_error(tmp_path, timestamp=wrong)
    assert_says(message, "column 'timestamp', row 0 ", "1970-01-20T17:21:07.200", "another unit")


def test_an_event_next_week(tmp_path):
    now = datetime.datetime.now(datetime.timezone.utc)
    times = [now + datetime.timedelta(days=n) for n in (-9, 0.5, -8, -7, 7, -6, -5, -4, -3, -2)]
    message = impression_error(tmp_path, timestamp=pa.array(times, pa.timestamp("us", tz="UTC")))
    # Half a day ahead is tolerated, a week is not.
    assert_says(message, "column 'timestamp', row 4 ", times[4].strftime("%Y-%m-%dT%H:%M"))


@pytest.mark.parametrize("column", ["click", "seconds", "tab"])
def test_a_column_that_only_some_files_have_is_null_in_the_others_and_said(tmp_path, column):
    log = parquet_files.impressions(seconds=pa.array([0.5] * 10), tab=pa.array(["a"] * 10))
    parquet_files.write(log.slice(0, 6).drop([column]), tmp_path / "log" / "1.parquet")
    parquet_files.write(log.slice(6), tmp_path / "log" / "2.parquet")
    parameters = impression_parameters(
        tasks=[
            {"name": "watch", "label": "click", "type": "binary"},
            {"name": "time", "label": "seconds", "type": "regression"},
        ],
        context={"categorical": ["tab"]},
    )
    data = DataSet.open(str(tmp_path / "log"))
    (note,) = check_columns(data, parameters)
    assert_says(note, "1.parquet", f"column '{column}' is missing", "1 of 2 files")
    (block,), _ = check_impressions(data, parameters)
    batches = [features[column] for features, _ in impression_features(block, parameters)]
    values = [value for batch in batches for value in batch.to_pylist()]
    assert [value is None for value in values] == [True] * 6 + [False] * 4


@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp"])
def test_a_column_that_every_file_must_have(tmp_path, column):
    log = parquet_files.impressions()
    parquet_files.write(log.slice(0, 6).drop([column]), tmp_path / "log" / "1.parquet")
    parquet_files.write(log.slice(6), tmp_path / "log" / "2.parquet")
    with pytest.raises(InputError) as caught:
        check_impressions(DataSet.open(str(tmp_path / "log")), impression_parameters())
    assert_says(str(caught.value), f"column '{column}'", "1.parquet", "2.parquet", "every file")


BAD_ROWS = {
    "user_id": pa.array(["u", ""] + ["u"] * 8),
    "item_id": pa.array([*"ab", None, *"dabcdab"]),
    "timestamp": days([0, 1, 2, -19_723, 4, 5, 6, 7, 8, 9]),
    "click": pa.array([0.0, 1, 0, 1, 7, 1, 0, 1, 0, 1]),
}


def test_bad_impressions_are_left_out_with_their_reason(tmp_path):
    log = parquet_files.impressions(**BAD_ROWS)
    path = parquet_files.write(log, tmp_path / "log.parquet", row_group_size=3)
    parameters = impression_parameters(skip_bad=4)
    (block,), rejects = check_impressions(DataSet.open(path), parameters)
    assert [(r.row, r.item_id, r.column) for r in rejects] == [
        (1, "b", "user_id"),
        (2, None, "item_id"),
        (3, "d", "timestamp"),
        (4, "a", "click"),
    ]
    assert "1970-01-01" in rejects[2].found
    ((features, evaluates),) = impression_features(block, parameters)
    assert features["item_id"].to_pylist() == [b"a", b"b", b"c", b"d", b"a", b"b"]
    assert features["click"].to_pylist() == [0, 1, 0, 1, 0, 1]
    assert evaluates.tolist() == [False] * 4 + [True] * 2


def test_one_bad_impression_more_than_allowed_is_refused(tmp_path):
    message = impression_error(tmp_path, parameters=impression_parameters(skip_bad=3), **BAD_ROWS)
    assert_says(
        message, "More than 3 impressions", "--skip-bad", "log.parquet", "row 4 ", "found 7"
    )


def test_labels_and_users_may_be_null(tmp_path):
    log = parquet_files.impressions(
        user_id=pa.array([None, *"abcdefghi"]),
        click=pa.array([0, 1, None, 1, 0, 1, 0, 1, 0, None], pa.int8()),
        seconds=pa.array([None] * 9 + [2.5]),
    )
    path = parquet_files.write(log, tmp_path / "log.parquet")
    parameters = impression_parameters(
        tasks=[
            {"name": "watch", "label": "click", "type": "binary"},
            {"name": "time", "label": "seconds", "type": "regression"},
        ]
    )
    (block,), rejects = check_impressions(DataSet.open(path), parameters)
    ((features, _),) = impression_features(block, parameters)
    assert not rejects
    assert features["user_id"].to_pylist()[:2] == [None, b"a"]
    assert features["click"].to_pylist() == [0, 1, None, 1, 0, 1, 0, 1, 0, None]
    assert features["seconds"].to_pylist() == [None] * 9 + [2.5]
