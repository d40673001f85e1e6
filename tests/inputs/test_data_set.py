"""One data set of Parquet files: its files, columns and rows."""

import datetime
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.files import list_files
from tests.inputs.column_values import read
from tests.inputs.column_values import refused
from tests.inputs.column_values import table
from tests.inputs.parquet_files import assert_says
from tests.inputs.parquet_files import write

# Files.


@pytest.fixture
def spark(tmp_path):
    """A folder as Spark writes it, partitioned twice."""
    folder = tmp_path / "log"
    for day, country in (("2024-01-01", "a b"), ("2024-01-02", "__HIVE_DEFAULT_PARTITION__")):
        name = f"country={country.replace(' ', '%20')}"
        write(
            table(x=pa.array([int(day[-1])])), folder / f"day={day}" / name / "part-0.c000.parquet"
        )
    (folder / "_SUCCESS").touch()
    (folder / "._SUCCESS.crc").write_bytes(b"crc")
    write(table(x=pa.array([9])), folder / "_temporary" / "0" / "part-0.parquet")
    return folder


@pytest.mark.parametrize(
    "pattern", ["log", "log/", "log/*", "log/**", "log/**/*.parquet", "log/*/*/*", "log/day=*"]
)
def test_a_folder_and_the_patterns_of_it_leave_out_what_is_hidden(spark, pattern):
    path = os.path.join(spark.parent, pattern)
    data = DataSet.open(path)
    assert [os.path.relpath(file.path, spark) for file in data.files] == [
        "day=2024-01-01/country=a%20b/part-0.c000.parquet",
        "day=2024-01-02/country=__HIVE_DEFAULT_PARTITION__/part-0.c000.parquet",
    ]
    assert data.columns == ["x", "day", "country"]
    assert read(path) == [1, 2]
    assert read(path, "day", uses.CATEGORIES) == [b"2024-01-01", b"2024-01-02"]
    assert read(path, "country", uses.CATEGORIES) == [b"a b", None]


def test_a_hidden_file_that_is_named_is_meant(spark):
    assert read(spark / "_temporary" / "0" / "part-0.parquet") == [9]
    assert read(f"{spark}/_temporary/**/*.parquet") == [9]


def test_several_paths_are_one_data_set_and_no_file_counts_twice(tmp_path):
    for name in "abc":
        write(table(x=pa.array([name])), tmp_path / f"{name}.parquet")
    named = [str(tmp_path / "c.parquet"), f"{tmp_path}/[ab]*", str(tmp_path / "a.parquet")]
    data = DataSet.open(named)
    assert [os.path.basename(file.path) for file in data.files] == [
        "a.parquet",
        "b.parquet",
        "c.parquet",
    ]
    with pytest.raises(InputError, match=r"nowhere: no such file\."):
        DataSet.open([*named, str(tmp_path / "nowhere")])


@pytest.mark.parametrize("name", ["a[1].parquet", "a*.parquet", "a?.parquet", "it's {x}.parquet"])
def test_a_name_with_the_characters_of_a_pattern_is_a_name(tmp_path, name):
    write(table(x=pa.array(["right"])), tmp_path / name)
    write(table(x=pa.array(["wrong"])), tmp_path / "a1.parquet")
    assert read(tmp_path / name) == [b"right"]


def test_a_file_reached_by_a_relative_path_keeps_its_absolute_one(tmp_path, monkeypatch):
    write(table(x=pa.array([1])), tmp_path / "k=v" / "a.parquet")
    monkeypatch.chdir(tmp_path)
    (file,) = list_files("k=v")
    assert file.path == str(tmp_path / "k=v" / "a.parquet")
    assert file.partitions == (("k", "v"),)


@pytest.mark.parametrize("named", ["", [], ["a", ""]])
def test_no_path_is_refused(named):
    with pytest.raises(InputError, match="expected a path"):
        DataSet.open(named)


def test_a_fifo_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "items.parquet")
    assert "neither a file nor a folder" in refused(tmp_path / "items.parquet")


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "_SUCCESS").touch()
    assert refused(tmp_path) == f"{tmp_path}: holds no Parquet file."


def test_an_unknown_scheme_is_refused():
    assert_says(refused("nosuch://bucket/items.parquet"), "nosuch://bucket", "cannot be looked up")


def test_empty_parts_and_empty_row_groups_are_passed_over(tmp_path):
    rows = table(x=pa.array(range(5)))
    with pq.ParquetWriter(tmp_path / "a.parquet", rows.schema) as writer:
        for part in (rows.slice(0, 0), rows.slice(0, 3), rows.slice(0, 0)):
            writer.write_table(part)
    write(rows.slice(0, 0), tmp_path / "b.parquet")
    write(rows.slice(3), tmp_path / "c.parquet")
    assert read(tmp_path) == [0, 1, 2, 3, 4]
    assert "holds no rows" in refused(tmp_path / "b.parquet")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1" * 10])
def test_what_is_not_parquet_is_said_to_be_so(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    assert_says(refused(tmp_path), "a.parquet: is not a Parquet file")


# Columns.


def test_names_are_exact(tmp_path):
    columns = {"Click": [1], "click": [2], "file_row_number": [3], 'a"b': [4], "a.b": [5], "": [6]}
    write(table(**{name: pa.array(value) for name, value in columns.items()}), tmp_path / "a")
    for name, value in columns.items():
        assert read(tmp_path / "a", name) == value


def test_two_columns_of_one_name_are_none(tmp_path):
    twice = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["x", "x", "y"])
    pq.write_table(twice, tmp_path / "a")
    assert_says(refused(tmp_path / "a"), "column 'x'", "two columns of one name")
    assert read(tmp_path / "a", "y") == [3]


def test_parts_with_other_columns_are_nulls_there_whatever_their_order(tmp_path):
    for order in ("ab", "ba"):
        folder = tmp_path / order
        write(table(x=pa.array([1]), y=pa.array([2])), folder / f"{order[0]}.parquet")
        write(table(x=pa.array([3])), folder / f"{order[1]}.parquet")
        data = DataSet.open(str(folder))
        (note,) = data.unlike(["x", "y"])
        assert_says(note, f"{order[1]}.parquet: column 'y' is missing", "1 of 2 files")
        data.require("y", uses.CARRIED, "a test", everywhere=False)
        with pytest.raises(InputError) as caught:
            data.require("y", uses.CARRIED, "a test")
        assert_says(str(caught.value), f"{order[1]}.parquet", f"{order[0]}.parquet", "missing")
    (block,) = data.blocks(10)
    values = [b.column("y").to_pylist() for _, _, b in block.read({"y": ("y", uses.CARRIED)})]
    assert values == [[None], [2]]


@pytest.mark.parametrize(
    ("first", "second", "use"),
    [
        (pa.array(["007"]), pa.array([7]), uses.IDS),
        (pa.array(["true"]), pa.array([True]), uses.CATEGORIES),
        (pa.array([1]), pa.array([True]), uses.CATEGORIES),
    ],
)
def test_a_column_of_two_types_is_refused_with_both_files(tmp_path, first, second, use):
    write(table(x=first), tmp_path / "1.parquet")
    write(table(x=second), tmp_path / "2.parquet")
    message = refused(tmp_path, use=use)
    assert_says(message, "1.parquet", "2.parquet", "column 'x'", "expected one type in all files")


@pytest.mark.parametrize(
    ("first", "second", "use", "values"),
    [
        (pa.array([7], pa.int8()), pa.array([2**63], pa.uint64()), uses.IDS, [b"7", b"%d" % 2**63]),
        (pa.array(["a"]), pa.array([b"b"]), uses.IDS, [b"a", b"b"]),
        (pa.nulls(1), pa.array(["b"]), uses.CATEGORIES, [None, b"b"]),
        (pa.array([1]), pa.array([0.5]), uses.NUMBERS, [1, 0.5]),
        (
            pa.array([1], pa.timestamp("s")),
            pa.array([datetime.date(1970, 1, 2)]),
            uses.TIMES,
            [1_000_000, 86_400_000_000],
        ),
        (
            pa.array([[1.0]], pa.list_(pa.float64())),
            pa.array([[2.0]], pa.list_(pa.float32(), 1)),
            uses.EMBEDDINGS,
            [[1.0], [2.0]],
        ),
    ],
)
def test_types_that_mean_the_same_may_differ(tmp_path, first, second, use, values):
    write(table(x=first), tmp_path / "1.parquet")
    write(table(x=second), tmp_path / "2.parquet")
    assert read(tmp_path, use=use) == values


def test_what_cannot_be_carried_along_is_left_out_aloud(tmp_path):
    one = [1]
    unwanted = {
        "struct": pa.array([{"brand": "x"}]),
        "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
        "structs": pa.array([[{"k": "a"}]]),
        "time": pa.array(one, pa.time32("s")),
        "lists": pa.array([[[1]]]),
    }
    write(table(x=pa.array(one), **unwanted), tmp_path / "1.parquet")
    write(table(x=pa.array(one), drift=pa.array(["x"])), tmp_path / "2.parquet")
    write(table(x=pa.array(one), drift=pa.array([1])), tmp_path / "3.parquet")
    carried, notes = DataSet.open(str(tmp_path)).carried(but=[])
    assert carried == ["x"]
    assert len(notes) == 6
    for name in (*unwanted, "drift"):
        assert any(f"column {name!r} is left out" in note for note in notes)


# Rows.


def test_blocks_have_their_size_whatever_the_files_and_row_groups(tmp_path):
    for name, begin, end, group in (("a", 0, 10, 3), ("b", 10, 11, 1), ("c", 11, 30, 100)):
        write(table(x=pa.array(range(begin, end))), tmp_path / f"{name}.parquet", group)
    data = DataSet.open(str(tmp_path))
    assert data.rows == 30
    blocks = data.blocks(8)
    assert [block.rows for block in blocks] == [8, 8, 8, 6]
    assert [block.number for block in blocks] == [0, 1, 2, 3]
    read_rows = [
        (os.path.basename(path), row + i, value)
        for block in blocks
        for path, row, batch in block.read({"x": ("x", uses.CARRIED)})
        for i, value in enumerate(batch.column("x").to_pylist())
    ]
    assert read_rows == (
        [("a.parquet", i, i) for i in range(10)]
        + [("b.parquet", 0, 10)]
        + [("c.parquet", i - 11, i) for i in range(11, 30)]
    )


def test_damaged_data_are_refused_from_their_row_on(tmp_path):
    path = tmp_path / "a.parquet"
    write(table(x=pa.array([f"text {i}" for i in range(100)])), path)
    # The footer stays, the pages are overwritten.
    path.write_bytes(b"PAR1" + b"\xff" * 300 + path.read_bytes()[304:])
    assert_says(refused(path), str(path), "cannot be read from row 0")


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    write(table(x=pa.array(range(10))), path)
    data = DataSet.open(str(path))
    write(table(x=pa.array(range(9))), path)
    with pytest.raises(InputError, match=r"ends at row 9, expected 10"):
        list(data.blocks(100)[0].read({"x": ("x", uses.CARRIED)}))
