"""What each kind of column may be, and what becomes of it."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet import columns
from semantic_id_ranking.components.parquet import lists
from semantic_id_ranking.components.parquet.place import Place
from semantic_id_ranking.components.parquet.timestamps import timestamps
from semantic_id_ranking.components.parquet.timestamps import to_microseconds

PLACE = Place("f.parquet", "c", 100)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["7", "x"]),
        pa.array(["7", "x"], pa.large_string()),
        pa.array(["7", "x"]).dictionary_encode(),
    ],
)
def test_ids_of_strings(column):
    assert columns.ids(column, PLACE).to_pylist() == [b"7", b"x"]


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.int64(), pa.uint64()])
def test_ids_of_integers(kind):
    assert columns.ids(pa.array([0, 12], kind), PLACE).to_pylist() == [b"0", b"12"]
    assert columns.ids(pa.array([0, 12], kind).dictionary_encode(), PLACE).to_pylist() == [
        b"0",
        b"12",
    ]


def test_row_numbers_count_from_the_batchs_first_row():
    with pytest.raises(InputError, match=r"f.parquet: column 'c', row 102 \(counted from 0\)"):
        columns.ids(pa.array(["a", "b", None]), PLACE)


def test_categories():
    assert columns.categories(pa.array(["", None, "x"]), PLACE).to_pylist() == [b"", None, b"x"]
    assert columns.categories(pa.array([0, None]), PLACE).to_pylist() == [b"0", None]
    assert columns.categories(pa.array([False, True]), PLACE).to_pylist() == [b"false", b"true"]
    assert columns.categories(pa.nulls(2), PLACE).to_pylist() == [None, None]


def test_numbers():
    floats = columns.numbers(pa.array([0.0, None, float("nan"), -1.5]), PLACE)
    assert floats.type == pa.float32() and floats.to_pylist() == [0.0, None, None, -1.5]
    assert columns.numbers(pa.array([0, 2**60]), PLACE).to_pylist() == [0.0, 2.0**60]
    assert columns.numbers(pa.array([False, True]), PLACE).to_pylist() == [0.0, 1.0]
    decimals = pa.array([decimal.Decimal("0.25")])
    assert columns.numbers(decimals, PLACE).to_pylist() == [0.25]


def test_binary_labels():
    for column in (pa.array([False, True]), pa.array([0.0, 1.0]), pa.array([0, 1], pa.uint8())):
        labels = columns.binary_labels(column, PLACE)
        assert labels.type == pa.int64() and labels.to_pylist() == [0, 1]


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("s", 1_704_067_200),
        ("ms", 1_704_067_200_123),
        ("us", 1_704_067_200_123_456),
        ("ns", 1_704_067_200_123_456_789),
    ],
)
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_timestamps_of_any_unit_and_zone(unit, value, zone):
    # A zone is a way of showing; the stored number is UTC. Without one, the number is read as UTC.
    now = datetime.datetime(2024, 6, 1, tzinfo=datetime.timezone.utc)
    got = timestamps(pa.array([value, None], pa.timestamp(unit, tz=zone)), PLACE, now)
    microseconds = {
        "s": 1_704_067_200_000_000,
        "ms": 1_704_067_200_123_000,
        "us": 1_704_067_200_123_456,
        "ns": 1_704_067_200_123_456,
    }[unit]
    assert got.to_pylist() == [microseconds, None]


def test_to_microseconds():
    expected = 1_704_067_200_000_001
    for text in (
        "2024-01-01T00:00:00.000001",
        "2024-01-01T00:00:00.000001Z",
        "2024-01-01T01:00:00.000001+01:00",
    ):
        assert to_microseconds(text) == expected


@pytest.mark.parametrize("value", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", ["list", "large_list", "fixed_size_list"])
def test_embeddings_of_any_list(value, kind):
    values = pa.array(np.array([0, 1.5, -2, 0, 7, 8], value))
    if kind == "fixed_size_list":
        column = pa.FixedSizeListArray.from_arrays(values, 2)
    else:
        cls = pa.ListArray if kind == "list" else pa.LargeListArray
        column = cls.from_arrays([0, 2, 4, 6], values)
    # A slice, as batches are: what lies before it must not come back.
    got = lists.embeddings(column[1:], PLACE, 2, "why")
    assert got.type.value_type == pa.float32()
    assert got.to_pylist() == [[-2, 0], [7, 8]]


def test_carried_lists_keep_empty_lists_and_drop_inner_nulls():
    column = pa.array([["x"], None, [], ["a", None, ""]])
    got = lists.carried(column[1:])
    assert got.to_pylist() == [None, [], [b"a", b""]]


def test_carried_scalars():
    assert lists.carried(pa.array([False, None, True])).to_pylist() == [0, None, 1]
    assert lists.carried(pa.array([datetime.date(1970, 1, 2)])).to_pylist() == [86_400_000_000]
    assert lists.carried(pa.array([1_500], pa.timestamp("ns"))).to_pylist() == [1]
    assert lists.carried(pa.array([decimal.Decimal("0.5")])).to_pylist() == [0.5]
    assert lists.carried(pa.nulls(1)).to_pylist() == [None]
