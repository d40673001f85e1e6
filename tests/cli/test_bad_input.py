"""Bad input to `sid run`: status 2, one sentence, and no change to the served models."""

import os
import pathlib
import sys

import numpy as np
import pandas as pd
import pytest

from semantic_id_ranking.cli import main as cli
from tests import synthetic


@pytest.fixture(scope="module")
def small():
    """Twelve items and their impressions, as frames to be spoilt."""
    items = synthetic.items(12)
    return items, synthetic.impressions(items, count=200, users=5)


@pytest.fixture
def sid(finished_run, capsys, monkeypatch):
    """Runs `sid run` into the output of the finished run; returns the exit status and its words."""

    def run(items, impressions, *more):
        arguments = ["--items", items, "--impressions", impressions, "--output"]
        command = ["sid", "run", *arguments, finished_run.output, "--new-space", *more]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code, capsys.readouterr().err

    serving = pathlib.Path(finished_run.output, "serving")
    before = {path: path.stat().st_mtime_ns for path in serving.rglob("*")}
    yield run
    assert {path: path.stat().st_mtime_ns for path in serving.rglob("*")} == before


def with_embedding(items, row, value):
    items = items.copy()
    items["embedding"] = [value if i == row else e for i, e in enumerate(items["embedding"])]
    return items


def spoilt_items():
    short = np.zeros(synthetic.DIM - 1, np.float32)
    hole = np.zeros(synthetic.DIM, np.float32)
    hole[4] = np.nan
    yield "length", lambda f: with_embedding(f, 5, short), ["embedding", "row 5", "11", "12"]
    yield "nan", lambda f: with_embedding(f, 7, hole), ["embedding", "row 7", "nan", "position 4"]
    yield (
        "duplicate",
        lambda f: pd.concat([f, f.iloc[[3]]]),
        ["item_id", "row 12", "'item3'", "row 3"],
    )
    yield "no embedding", lambda f: f.drop(columns="embedding"), ["'embedding'", "is missing"]
    yield (
        "created at integers",
        lambda f: f.assign(created_at=np.arange(12)),
        ["created_at", "int64", "a timestamp"],
    )


def spoilt_impressions():
    def label(frame):
        frame = frame.copy()
        frame.loc[frame.index[40], "click"] = 2
        return frame

    future = pd.Timestamp("2200-01-01", tz="UTC")
    yield "label", label, ["click", "row 40", "2", "0 or 1"]
    yield "no label", lambda f: f.drop(columns="click"), ["'click'", "is missing", "user_id"]
    yield "no user", lambda f: f.drop(columns="user_id"), ["'user_id'", "is missing"]
    yield (
        "milliseconds read as seconds",
        lambda f: f.assign(timestamp=pd.to_datetime(np.arange(200) * 1000, unit="s", utc=True)),
        ["timestamp", "row 0", "1970-01-01", "another unit"],
    )
    yield (
        "future",
        lambda f: f.assign(timestamp=[*f["timestamp"][:-1], future]),
        ["timestamp", "row 199", "2200-01-01"],
    )
    yield (
        "integers",
        lambda f: f.assign(timestamp=np.arange(200)),
        ["timestamp", "int64", "a timestamp"],
    )


@pytest.mark.parametrize(
    ("spoil", "facts"), [pytest.param(s, f, id=name) for name, s, f in spoilt_items()]
)
def test_items(sid, small, tmp_path, spoil, facts):
    items, impressions = small
    path = synthetic.write(spoil(items), tmp_path / "items.parquet")
    log = synthetic.write(impressions, tmp_path / "impressions.parquet")
    assert_refused(sid(path, log), [path, *facts])


def test_a_null_embedding(sid, small, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    items, impressions = small
    path = synthetic.write(items, tmp_path / "items.parquet")
    table = pq.read_table(path)
    values = table["embedding"].to_pylist()
    values[2] = None
    column = pa.array(values, pa.list_(pa.float32()))
    index = table.schema.get_field_index("embedding")
    pq.write_table(table.set_column(index, "embedding", column), path)
    log = synthetic.write(impressions, tmp_path / "impressions.parquet")
    assert_refused(sid(path, log), [path, "embedding", "row 2", "null"])


@pytest.mark.parametrize(
    ("spoil", "facts"), [pytest.param(s, f, id=name) for name, s, f in spoilt_impressions()]
)
def test_impressions(sid, small, tmp_path, spoil, facts):
    items, impressions = small
    path = synthetic.write(items, tmp_path / "items.parquet")
    log = synthetic.write(spoil(impressions), tmp_path / "impressions.parquet")
    assert_refused(sid(path, log), [log, *facts])


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (
            ["--set", "split.evaluation_start=2024-12-31"],
            ["evaluation split is empty", "2024-12-31"],
        ),
        (["--set", "split.evaluation_start=2024-01-01"], ["training split is empty", "2024-01-01"]),
        (["--set", "tasks=[{name: buy, label: purchase}]"], ["'purchase'", "'buy'", "is missing"]),
        (["--set", "ranker.epoch=1"], ["ranker.epoch", "unknown key", "epochs"]),
        (["--set", "rqvae.levels=0"], ["rqvae.levels", "0 is not allowed", "1"]),
        (["--config", "no-such.yaml"], ["no-such.yaml", "cannot be read"]),
    ],
)
def test_configuration(sid, small, tmp_path, arguments, facts):
    items, impressions = small
    path = synthetic.write(items, tmp_path / "items.parquet")
    log = synthetic.write(impressions, tmp_path / "impressions.parquet")
    assert_refused(sid(path, log, *arguments), facts)


def test_no_such_file(sid, finished_run):
    assert_refused(sid("nowhere.parquet", finished_run.impressions), ["nowhere.parquet", "no such"])
    assert_refused(sid(finished_run.items, "nowhere.parquet"), ["nowhere.parquet", "no such"])


def test_not_parquet(sid, finished_run, tmp_path):
    path = tmp_path / "items.parquet"
    path.write_text("item_id,embedding\n")
    assert_refused(sid(str(path), finished_run.impressions), [str(path), "not a Parquet file"])
    assert_refused(sid(finished_run.items, str(path)), [str(path), "not a Parquet file"])


def test_impressions_of_unknown_items(sid, small, tmp_path):
    items, impressions = small
    path = synthetic.write(items, tmp_path / "items.parquet")
    strange = impressions.assign(item_id=["ghost", "ghost", "ghost", *impressions["item_id"][3:]])
    log = synthetic.write(strange, tmp_path / "impressions.parquet")
    facts = ["impressions.parquet", "item_id", "3 of 200", "'ghost'", "1.0%"]
    small_model = "rqvae={levels: 2, codebook_size: 4, epochs: 1}"
    assert_refused(sid(path, log, "--set", small_model, "--set", "representation.rows=64"), facts)


def assert_refused(result, facts):
    status, words = result
    assert status == 2
    assert words.startswith("sid: ")
    assert words.count("\n") == 1
    assert "Traceback" not in words
    for fact in facts:
        assert str(fact) in words
    assert os.linesep not in words.strip()
