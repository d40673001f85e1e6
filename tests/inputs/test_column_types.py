"""Types of Parquet columns: their accepted uses, and the values read of them."""

import datetime
import decimal
import pathlib

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import DataSet
from tests.inputs.column_values import read
from tests.inputs.column_values import refused
from tests.inputs.column_values import table
from tests.inputs.parquet_files import assert_says
from tests.inputs.parquet_files import write

WRITTEN = pathlib.Path(__file__).parent / "written"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array(["a", None]), [b"a", None]),
        (pa.array(["a", None], pa.large_string()), [b"a", None]),
        (pa.array(["a", None]).dictionary_encode(), [b"a", None]),
        (pa.array([b"a", None]), [b"a", None]),
        (pa.array([b"ab", None], pa.binary(2)), [b"ab", None]),
        (pa.array([-1, None], pa.int8()), [b"-1", None]),
        (pa.array([2**64 - 1, None], pa.uint64()), [b"18446744073709551615", None]),
        (pa.array([decimal.Decimal(10**19), None], pa.decimal128(20, 0)), [b"1%019d" % 0, None]),
        (pa.array([decimal.Decimal(10**37), None], pa.decimal128(38, 0)), [b"1%037d" % 0, None]),
    ],
)
def test_ids(tmp_path, column, values):
    write(table(x=column), tmp_path / "a")
    assert read(tmp_path / "a", use=uses.IDS) == values


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1.0]),
        pa.array([True]),
        pa.array([decimal.Decimal("1.5")]),
        pa.array([datetime.date(2024, 1, 1)]),
        pa.array([["a"]]),
    ],
)
def test_what_is_no_id(tmp_path, column):
    write(table(x=column), tmp_path / "a")
    assert_says(refused(tmp_path / "a", use=uses.IDS), "column 'x'", "a string or an integer")


@pytest.mark.parametrize(
    ("name", "use", "values"),
    [
        ("float16", uses.NUMBERS, [0, -2, 0.25]),
        ("vectors_float16", uses.EMBEDDINGS, [[0, 1.5], [-2, 0.25], [65504, 3]]),
        ("vectors_tensor", uses.EMBEDDINGS, [[0, 1.5], [-2, 0.25], [65504, 3]]),
        ("vectors_byte_stream_split", uses.EMBEDDINGS, [[0, 1.5], [-2, 0.25], [65504, 3]]),
        ("string_view", uses.IDS, [b"a", "é".encode(), None]),
        ("binary_view", uses.IDS, [b"a", b"b", None]),
        ("boolean_rle", uses.NUMBERS, [1, None, 0]),
        ("delta", uses.IDS, [b"aa", b"ab", b"b"]),
        ("uuid", uses.IDS, [b"00010203-0405-0607-0809-0a0b0c0d0e0f"] * 3),
    ],
)
def test_files_of_newer_tools(name, use, values):
    path = WRITTEN / f"{name}.parquet"
    assert read(path, use=use) == values
    assert read(path, "k") == [0, 1, 2]


def test_decimals_that_would_be_read_as_doubles_are_refused_or_left_out():
    path = WRITTEN / "decimal256.parquet"
    for use in (uses.IDS, uses.NUMBERS):
        assert_says(refused(path, use=use), "column 'x'", "decimal(50,0)")
    carried, notes = DataSet.open(str(path)).carried(but=[])
    assert carried == ["k"] and "decimal(50,0)" in notes[0]


def test_files_of_duckdb(tmp_path):
    duckdb.sql(
        f"""COPY (SELECT 'a' || range AS s, 'x'::ENUM('x', 'y') AS e,
                  uuid() AS u, range % 2 = 0 AS b,
                  TIMESTAMPTZ '2024-01-01 00:00:00+02' AS t, [range::FLOAT] AS v,
                  range AS x FROM range(5000))
            TO '{tmp_path}/a.parquet' (FORMAT parquet, PARQUET_VERSION v2, ROW_GROUP_SIZE 2048)"""
    )
    path = tmp_path / "a.parquet"
    assert read(path) == list(range(5000))
    assert read(path, "s", uses.IDS)[:2] == [b"a0", b"a1"]
    assert {len(value) for value in read(path, "u", uses.IDS)} == {36}
    assert set(read(path, "e", uses.CATEGORIES)) == {b"x"}
    assert read(path, "b", uses.NUMBERS)[:2] == [1, 0]
    assert set(read(path, "t", uses.TIMES)) == {1_704_060_000_000_000}
    assert read(path, "v", uses.EMBEDDINGS)[4999] == [4999.0]


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
def test_timestamps_of_any_unit_and_zone(tmp_path, unit, value, zone):
    # A zone concerns display; the stored number is UTC. Without one, the number is read as UTC.
    column = pa.array([value, None], pa.timestamp(unit, tz=zone))
    pq.write_table(table(x=column), tmp_path / "a", version="2.6")
    microseconds = {
        "s": 1_704_067_200_000_000,
        "ms": 1_704_067_200_123_000,
        "us": 1_704_067_200_123_456,
        "ns": 1_704_067_200_123_456,
    }[unit]
    assert read(tmp_path / "a", use=uses.TIMES) == [microseconds, None]


def test_dates_and_the_full_range_of_int96(tmp_path):
    write(table(x=pa.array([datetime.date(2024, 1, 1), None])), tmp_path / "a")
    assert read(tmp_path / "a", use=uses.TIMES) == [1_704_067_200_000_000, None]
    times = [datetime.datetime(9999, 12, 31, 23, 59, 59), datetime.datetime(1, 1, 1), None]
    column = pa.array(times, pa.timestamp("us"))
    pq.write_table(table(x=column), tmp_path / "a", use_deprecated_int96_timestamps=True)
    # Seconds of the proleptic calendar: 253,402,300,799 and -62,135,596,800.
    expected = [253_402_300_799_000_000, -62_135_596_800_000_000, None]
    assert read(tmp_path / "a", use=uses.TIMES) == expected


def test_times_that_are_none_are_out_of_range_and_not_null(tmp_path):
    write(table(x=pa.array([2**63 - 1, None], pa.timestamp("us"))), tmp_path / "a")
    assert read(tmp_path / "a", use=uses.TIMES) == [2**63 - 1, None]


@pytest.mark.parametrize("value", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["list", "large_list", "fixed_size_list"])
def test_embeddings_of_any_list(tmp_path, value, kind):
    values = pa.array(np.array([0, 1.5, -2, 0, 7, 8], value))
    if kind == "fixed_size_list":
        column = pa.FixedSizeListArray.from_arrays(values, 2)
    else:
        cls = pa.ListArray if kind == "list" else pa.LargeListArray
        column = cls.from_arrays([0, 2, 4, 6], values)
    write(table(x=column), tmp_path / "a")
    assert read(tmp_path / "a", use=uses.EMBEDDINGS) == [[0, 1.5], [-2, 0], [7, 8]]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([False, None]), [0, None]),
        (pa.array([2**62, None]), [2**62, None]),
        (pa.array([2**63, None], pa.uint64()), [b"9223372036854775808", None]),
        (pa.array([decimal.Decimal("0.5"), None]), [0.5, None]),
        (pa.array([datetime.date(1970, 1, 2), None]), [86_400_000_000, None]),
        (pa.array([["x"], None, [], ["a", None]]), [[b"x"], None, [], [b"a", None]]),
        (pa.array([[True], None]), [[1], None]),
        (pa.array([[0.5], None]), [[0.5], None]),
        (pa.array([[datetime.date(1970, 1, 2)]]), [[86_400_000_000]]),
        (pa.nulls(2), [None, None]),
        (pa.array([b"\xff\x00", None]), [b"\xff\x00", None]),
    ],
)
def test_columns_that_are_carried_along(tmp_path, column, values):
    write(table(x=column), tmp_path / "a")
    assert read(tmp_path / "a") == values


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_codecs(tmp_path, codec):
    pq.write_table(table(x=pa.array(["a", None] * 500)), tmp_path / "a", compression=codec)
    assert read(tmp_path / "a") == [b"a", None] * 500


def latin1(texts):
    values = pa.array([text.encode("latin-1") for text in texts], pa.binary())
    return pa.StringArray.from_buffers(len(texts), *values.buffers()[1:3])


@pytest.mark.parametrize("rows", [1000, 7])
def test_texts_that_are_not_utf8_come_as_they_are(tmp_path, rows):
    texts = [f"caf\xe9{i}" if i % 10 == 3 else f"tea{i}" for i in range(40)]
    column = latin1(texts)
    lists = pa.ListArray.from_arrays(pa.array(range(41), pa.int32()), column)
    write(
        table(x=column, y=pa.array(range(40)), z=lists, x_again=pa.array(texts)),
        tmp_path / "a",
        row_group_size=9,
    )
    expected = [text.encode("latin-1") for text in texts]
    assert read(tmp_path / "a", rows=rows, batch_rows=2048) == expected
    assert read(tmp_path / "a", "z", rows=rows) == [[text] for text in expected]
    assert read(tmp_path / "a", "y", rows=rows) == list(range(40))
    data = DataSet.open(str(tmp_path / "a"))
    wanted = {"b": ("y", uses.CARRIED), "a": ("x", uses.IDS)}
    batches = [b for block in data.blocks(rows) for _, _, b in block.read(wanted)]
    assert [v for b in batches for v in b.column("a").to_pylist()] == expected
    assert [v for b in batches for v in b.column("b").to_pylist()] == list(range(40))
    assert [batch.schema.names for batch in batches] == [["b", "a"]] * len(batches)


def test_batches_are_no_larger_than_asked(tmp_path):
    write(table(x=pa.array(range(5000))), tmp_path / "a")
    (block,) = DataSet.open(str(tmp_path / "a")).blocks(5000)
    batches = list(block.read({"x": ("x", uses.CARRIED)}, batch_rows=300))
    assert max(batch.num_rows for _, _, batch in batches) == 300
    rows = [row + i for _, row, batch in batches for i in range(batch.num_rows)]
    assert rows == list(range(5000))
