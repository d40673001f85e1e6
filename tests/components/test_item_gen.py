"""ItemGen, run by TFX and Beam, its Examples read back."""

import datetime

import pyarrow as pa
import pytest

from semantic_id_ranking.contracts.errors import InputError
from tests.inputs import parquet_files
from tests.inputs.parquet_files import days
from tests.inputs.parquet_files import vectors

DAY_0 = parquet_files.DAY_0_MICROSECONDS
DAY = parquet_files.DAY_MICROSECONDS


def item_gen(tmp_path, **parameters):
    log = tmp_path / "log.parquet"
    return parquet_files.item_gen(
        tmp_path / "items.parquet", log if log.exists() else None, **parameters
    )


def examples(tmp_path, **parameters):
    """Runs ItemGen: item id -> its Example, for the training and the evaluation split."""
    root = parquet_files.run([item_gen(tmp_path, **parameters)], tmp_path / "run")
    return [
        {e["item_id"][1][0]: e for e in parquet_files.read_examples(root, "ItemGen", split)}
        for split in ("train", "eval")
    ]


def test_zeros_false_and_empty_strings_survive(tmp_path):
    table = parquet_files.items(
        item_id=pa.array([0, 7, 8, 9]),
        embedding=vectors([[0.0, 0.0], [-0.5, 0.0], [1.0, 2.0], [3.0, 4.0]]),
        created_at=days([0, 1, 2, 3]),
        title=pa.array(["", None, "C", "D"]),
        price=pa.array([0.0, None, 1.5, 2.0]),
        stock=pa.array([0, None, 5, -6]),
        adult=pa.array([False, None, True, True]),
        brand=pa.array(["", None, "x", "y"]),
        tags=pa.array([["", "a"], None, [], ["b"]]),
        updated=days([0, None, 1, 2], "ms"),
    )
    parquet_files.write(table, tmp_path / "items.parquet", row_group_size=3)
    train, evaluation = examples(tmp_path, embedding_dim=2)
    assert sorted(train) == [b"0", b"7"] and sorted(evaluation) == [b"8", b"9"]
    assert train[b"0"] == {
        "item_id": ("bytes_list", [b"0"]),
        "embedding": ("float_list", [0.0, 0.0]),
        "created_at": ("int64_list", [DAY_0]),
        "title": ("bytes_list", [b""]),
        "price": ("float_list", [0.0]),
        "stock": ("int64_list", [0]),
        "adult": ("int64_list", [0]),
        "brand": ("bytes_list", [b""]),
        "tags": ("bytes_list", [b"", b"a"]),
        "updated": ("int64_list", [DAY_0]),
    }
    required = {"item_id", "embedding", "created_at"}
    assert {name for name, value in train[b"7"].items() if value is not None} == required
    assert evaluation[b"9"]["stock"] == ("int64_list", [-6])
    assert evaluation[b"9"]["updated"] == ("int64_list", [DAY_0 + 2 * DAY])


def test_split_is_exact_at_the_boundary_and_other_types_are_read(tmp_path):
    start = parquet_files.DAY_0 + datetime.timedelta(days=2)
    just_before = start - datetime.timedelta(microseconds=1)
    table = pa.table(
        {
            "key": pa.array(["a", "b", "c"]).dictionary_encode(),
            "vector": vectors([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float64(), 2)),
            # Naive, so UTC.
            "born": pa.array([t.replace(tzinfo=None) for t in (just_before, start, start)]),
            "name": pa.array(["A", "B", "C"], pa.large_string()),
            # The name of a feature that is made from another column.
            "item_id": pa.array([1, 2, 3]),
        }
    )
    parquet_files.write(table, tmp_path / "items.parquet")
    train, evaluation = examples(
        tmp_path, item_id="key", embedding="vector", created_at="born", title="name"
    )
    assert train == {
        b"a": {
            "item_id": ("bytes_list", [b"a"]),
            "embedding": ("float_list", [1.0, 2.0]),
            "created_at": ("int64_list", [DAY_0 + 2 * DAY - 1]),
            "title": ("bytes_list", [b"A"]),
        }
    }
    assert sorted(evaluation) == [b"b", b"c"]


@pytest.mark.parametrize("created", [None, [None, 0.5, None, None]])
def test_first_impression_stands_for_a_missing_creation_time(tmp_path, created):
    # Item 1 is seen on days 1 and 3, item 2 on day 2 alone, item 3 never, item 4 on day 5.
    table = parquet_files.items(
        item_id=pa.array([1, 2, 3, 4]), created_at=None if created is None else days(created)
    )
    parquet_files.write(table, tmp_path / "items.parquet", row_group_size=2)
    log = pa.table(
        {
            "item_id": pa.array(["1", "4", "2", "1", "unknown"]),
            "timestamp": days([3, 5, 2, 1, 0]),
        }
    )
    parquet_files.write(log, tmp_path / "log.parquet", row_group_size=2)
    train, evaluation = examples(tmp_path, evaluation_start="2024-01-04")  # Day 3.
    times = {i: e["created_at"][1][0] for i, e in (train | evaluation).items()}
    second = 2 if created is None else 0.5
    assert times == {
        b"1": DAY_0 + DAY,
        b"2": DAY_0 + int(second * DAY),
        b"3": DAY_0 + 3 * DAY,
        b"4": DAY_0 + 5 * DAY,
    }
    assert sorted(train) == [b"1", b"2"]


def test_an_evaluation_split_may_be_empty(tmp_path):
    parquet_files.write(parquet_files.items(), tmp_path / "items.parquet")
    train, evaluation = examples(tmp_path, evaluation_start="2024-02-01")
    assert len(train) == 4 and evaluation == {}


def test_input_error_reaches_the_caller_of_the_runner(tmp_path):
    table = parquet_files.items(item_id=pa.array(["a", "b", "c", "a"]))
    path = parquet_files.write(table, tmp_path / "items.parquet")
    with pytest.raises(InputError) as caught:
        examples(tmp_path)
    assert type(caught.value) is InputError
    assert str(caught.value) == (
        f"{path}: column 'item_id', row 3 (counted from 0): found 'a' again, first in row 0, "
        "expected each item once."
    )


def test_a_file_that_changed_since_the_run_began_is_refused(tmp_path):
    path = parquet_files.write(parquet_files.items(), tmp_path / "items.parquet")
    component = item_gen(tmp_path)
    parquet_files.write(parquet_files.items(title=pa.array(list("WXYZ"))), path)
    with pytest.raises(InputError, match=r"items\.parquet: has changed since the run began"):
        parquet_files.run([component], tmp_path / "run")


def test_only_the_files_read_count_for_the_cache(tmp_path):
    root = tmp_path / "run"

    def runs_so_far():
        parquet_files.run([item_gen(tmp_path)], root)
        return parquet_files.executions(str(root), "ItemGen")

    parquet_files.write(parquet_files.items(), tmp_path / "items.parquet")
    assert runs_so_far() == 1
    # A neighbour appears; the same content is written again.
    parquet_files.write(parquet_files.items(), tmp_path / "items-old.parquet")
    parquet_files.write(parquet_files.items(), tmp_path / "items.parquet")
    assert runs_so_far() == 1
    parquet_files.write(parquet_files.items(created_at=None), tmp_path / "items.parquet")
    parquet_files.write(parquet_files.impressions(), tmp_path / "log.parquet")
    assert runs_so_far() == 2
    # Now the log counts.
    parquet_files.write(parquet_files.impressions().slice(0, 9), tmp_path / "log.parquet")
    assert runs_so_far() == 3
    assert runs_so_far() == 3


def test_unknown_parameter_is_refused(tmp_path):
    parquet_files.write(parquet_files.items(), tmp_path / "items.parquet")
    with pytest.raises(TypeError, match="embeding"):
        item_gen(tmp_path, embeding="vector")
