"""Values of each kind of column, and their features."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from semantic_id_ranking.inputs import columns
from semantic_id_ranking.inputs import lists
from semantic_id_ranking.inputs.timestamps import to_microseconds

INF, NAN = float("inf"), float("nan")


def binary(*values):
    return pa.array(values, pa.binary())


def double(*values):
    return pa.array(values, pa.float64())


def test_ids():
    values, bad = columns.ids(binary(b"7", None, b"", b"\xff", "é".encode()))
    assert values.type == pa.large_binary()
    assert values[0].as_py() == b"7" and values[4].as_py() == "é".encode()
    assert bad == {
        1: ("null", "an id"),
        2: ("an empty string", "an id"),
        3: (r"b'\xff'", "an id in UTF-8"),
    }


def test_optional_ids_may_be_null():
    values, bad = columns.optional_ids(binary(b"7", None, b""))
    assert values.to_pylist() == [b"7", None, b""]
    assert bad == {2: ("an empty string", "an id")}


def test_categories_are_as_they_are():
    values, bad = columns.categories(binary(b"", None, b"\xff"))
    assert values.to_pylist() == [b"", None, b"\xff"] and not bad


def test_numbers():
    values, bad = columns.numbers(double(0.0, None, NAN, -1.5, 2.0**60))
    assert values.type == pa.float32() and not bad
    assert values.to_pylist() == [0.0, None, None, -1.5, 2.0**60]
    _, bad = columns.numbers(double(1, INF, 1e39, None))
    assert bad == {1: ("inf", "a finite number"), 2: ("1e+39", "a finite number")}


def test_binary_labels():
    values, bad = columns.binary_labels(double(0, 1, None))
    assert values.type == pa.int64() and not bad
    assert values.to_pylist() == [0, 1, None]
    _, bad = columns.binary_labels(double(0, 2, 0.5, NAN, None))
    assert {index: found for index, (found, _) in bad.items()} == {1: "2", 2: "0.5", 3: "nan"}


def test_regression_labels():
    values, bad = columns.regression_labels(double(0, -2.5, None))
    assert values.type == pa.float32() and not bad
    assert values.to_pylist() == [0, -2.5, None]
    _, bad = columns.regression_labels(double(0, NAN, -INF, 1e39, None))
    assert {index: found for index, (found, _) in bad.items()} == {1: "nan", 2: "-inf", 3: "1e+39"}


def test_event_times_are_from_1990_to_tomorrow():
    now = datetime.datetime(2024, 6, 1, tzinfo=datetime.timezone.utc)
    first, last = to_microseconds("1990-01-01"), to_microseconds("2024-06-02")
    column = pa.array([first, first - 1, last, last + 1, None, 2**63 - 1])
    _, bad = columns.event_times(column, now)
    assert {index: found for index, (found, _) in bad.items()} == {
        1: "1989-12-31T23:59:59.999999",
        3: "2024-06-02T00:00:00.000001",
        4: "null",
        5: "294247-01-10T04:00:54.775807",
    }


def test_creation_times_are_of_any_year():
    first = to_microseconds("0001-01-01")
    last = to_microseconds("9999-12-31T23:59:59.999999")
    values, bad = columns.creation_times(pa.array([first, last, None, first - 1, last + 1]))
    assert values.to_pylist()[:3] == [first, last, None]
    assert list(bad) == [3, 4]


def test_to_microseconds():
    expected = 1_704_067_200_000_001
    for text in (
        "2024-01-01T00:00:00.000001",
        "2024-01-01T00:00:00.000001Z",
        "2024-01-01T01:00:00.000001+01:00",
    ):
        assert to_microseconds(text) == expected


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_embeddings(kind):
    column = pa.array([[9.0, 9.0], [0, 1.5], [-2, 0]], pa.list_(kind))
    # A slice, as batches are: what lies before it must not come back.
    values, bad = lists.embeddings(column[1:], 2, "why")
    assert values.dtype == np.float32 and not bad
    assert values.tolist() == [[0, 1.5], [-2, 0]]
    assert lists.to_lists(values).to_pylist() == [[0, 1.5], [-2, 0]]


def test_bad_embeddings():
    rows = [[1, 2], None, [1], [], [1, None], [NAN, 2], [3, 4], [1, 1e39]]
    values, bad = lists.embeddings(pa.array(rows, pa.list_(pa.float64())), 2, "why")
    assert values.tolist() == [[1, 2], [3, 4]]
    assert {index: found for index, (found, _) in bad.items()} == {
        1: "null",
        2: "a list of length 1",
        3: "a list of length 0",
        4: "null at position 1 of the list",
        5: "nan at position 0 of the list",
        7: "1e+39 at position 1 of the list",
    }


def test_carried_lists_keep_empty_lists_and_drop_inner_nulls():
    column = pa.array([[b"x"], None, [], [b"a", None, b""]])
    assert lists.carried(column[1:]).to_pylist() == [None, [], [b"a", b""]]


def test_carried_scalars():
    assert lists.carried(pa.array([0, None, 2**62])).to_pylist() == [0, None, 2**62]
    assert lists.carried(double(0.5, None)).type == pa.float32()
    assert lists.carried(binary(b"x", None)).type == pa.large_binary()
