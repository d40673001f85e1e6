"""ImpressionGen, run by TFX and Beam, its Examples read back."""

import datetime
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.contracts.errors import InputError
from tests.inputs import parquet_files
from tests.inputs.parquet_files import days

DAY_0 = parquet_files.DAY_0_MICROSECONDS
DAY = parquet_files.DAY_MICROSECONDS


def examples(tmp_path, **parameters):
    """Runs ImpressionGen: the Examples of both splits in the order of time."""
    task = {"name": "click", "label": "click", "type": "binary", "weight": 0.5}
    component = parquet_files.impression_gen(
        tmp_path / "log.parquet", **({"tasks": [task]} | parameters)
    )
    root = parquet_files.run([component], tmp_path / "run")
    return [
        sorted(
            parquet_files.read_examples(root, "ImpressionGen", split),
            key=lambda example: example["timestamp"],
        )
        for split in ("train", "eval")
    ]


def test_bad_impressions_lie_beside_the_splits(tmp_path):
    log = parquet_files.impressions(click=pa.array([0, 1, 2, 1, 0, 1, 0, 1, 0, 1], pa.int8()))
    parquet_files.write(log, tmp_path / "log.parquet")
    train, evaluation = examples(tmp_path, skip_bad=1)
    assert len(train) + len(evaluation) == 9
    (folder,) = tmp_path.glob("run/ImpressionGen/examples/*")
    (reject,) = pq.read_table(folder / "rejects.parquet").to_pylist()
    assert (reject["item_id"], reject["row"]) == ("c", 2)
    assert "column 'click': found 2, expected 0 or 1" in reject["reason"]
    assert json.loads((folder / "counts.json").read_text()) == {"rows": 10, "rejected": 1}


def test_zeros_false_and_empty_strings_survive(tmp_path):
    table = pa.table(
        {
            "user": pa.array([0, 1, 2]),
            "item": pa.array(["a", "b", "c"]).dictionary_encode(),
            "when": days([0, 1, 2], "ms", None),
            "looking_at": pa.array([5, None, 0]),
            "like": pa.array([False, True, False]),
            "buy": pa.array([0.0, 1.0, 0.0]),
            "seconds": pa.array([0, 3, 4]),
            "tab": pa.array(["", None, "home"]),
            "hour": pa.array([0, 23, None]),
            "price": pa.array([0.0, float("nan"), -1.5]),
            "ignored": pa.array([{"x": 1}] * 3),
        }
    )
    parquet_files.write(table, tmp_path / "log.parquet", row_group_size=1)
    train, evaluation = examples(
        tmp_path,
        user_id="user",
        item_id="item",
        timestamp="when",
        current_item_id="looking_at",
        tasks=[
            {"name": "likes", "label": "like", "type": "binary"},
            {"name": "buys", "label": "buy", "type": "binary"},
            {"name": "time", "label": "seconds", "type": "regression"},
        ],
        context={"categorical": ("tab", "hour"), "numeric": ("price",)},
    )
    assert train == [
        {
            "user_id": ("bytes_list", [b"0"]),
            "item_id": ("bytes_list", [b"a"]),
            "timestamp": ("int64_list", [DAY_0]),
            "current_item_id": ("bytes_list", [b"5"]),
            "like": ("int64_list", [0]),
            "buy": ("int64_list", [0]),
            "seconds": ("float_list", [0.0]),
            "tab": ("bytes_list", [b""]),
            "hour": ("bytes_list", [b"0"]),
            "price": ("float_list", [0.0]),
        },
        {
            "user_id": ("bytes_list", [b"1"]),
            "item_id": ("bytes_list", [b"b"]),
            "timestamp": ("int64_list", [DAY_0 + DAY]),
            "current_item_id": ("bytes_list", [b""]),
            "like": ("int64_list", [1]),
            "buy": ("int64_list", [1]),
            "seconds": ("float_list", [3.0]),
            "tab": None,
            "hour": ("bytes_list", [b"23"]),
            "price": None,
        },
    ]
    assert evaluation == [
        {
            "user_id": ("bytes_list", [b"2"]),
            "item_id": ("bytes_list", [b"c"]),
            "timestamp": ("int64_list", [DAY_0 + 2 * DAY]),
            "current_item_id": ("bytes_list", [b"0"]),
            "like": ("int64_list", [0]),
            "buy": ("int64_list", [0]),
            "seconds": ("float_list", [4.0]),
            "tab": ("bytes_list", [b"home"]),
            "hour": None,
            "price": ("float_list", [-1.5]),
        }
    ]


def test_split_is_exact_at_the_boundary(tmp_path):
    start = parquet_files.DAY_0 + datetime.timedelta(days=2)
    step = datetime.timedelta(microseconds=1)
    times = [start - step, start, start + step, start - 2 * step]
    table = pa.table(
        {
            "user_id": pa.array(["u"] * 4),
            "item_id": pa.array([10, 11, 12, 13]),
            "timestamp": pa.array(times),
            "click": pa.array([0, 0, 1, 1]),
        }
    )
    parquet_files.write(table, tmp_path / "log.parquet")
    train, evaluation = examples(tmp_path)
    assert [e["item_id"][1][0] for e in train] == [b"13", b"10"]
    assert [e["item_id"][1][0] for e in evaluation] == [b"11", b"12"]
    # No current item and no context are configured, so there are no such features.
    assert set(train[0]) == {"user_id", "item_id", "timestamp", "click"}


def test_several_files_are_one_log(tmp_path):
    log = parquet_files.impressions()
    parquet_files.write(log.slice(0, 6), tmp_path / "log" / "1.parquet")
    parquet_files.write(log.slice(6), tmp_path / "log" / "2.parquet")
    component = parquet_files.impression_gen(tmp_path / "log", evaluation_start="2024-01-09")
    root = parquet_files.run([component], tmp_path / "run")
    sizes = [
        len(parquet_files.read_examples(root, "ImpressionGen", split))
        for split in ("train", "eval")
    ]
    assert sizes == [8, 2]


def test_input_error_reaches_the_caller_of_the_runner(tmp_path):
    table = parquet_files.impressions(click=pa.array([0, 1, 0, 1, 0, 1, 3, 1, 0, 1]))
    path = parquet_files.write(table, tmp_path / "log.parquet", row_group_size=4)
    with pytest.raises(InputError) as caught:
        examples(tmp_path)
    assert type(caught.value) is InputError
    assert str(caught.value) == (
        f"{path}: column 'click', row 6 (counted from 0), item 'c': found 3, expected 0 or 1 "
        "(false or true), the label of a binary task, or null."
    )
