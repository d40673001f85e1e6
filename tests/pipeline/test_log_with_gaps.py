"""The real pipeline on daily folders with missing labels, missing users and bad rows."""

import io
import os

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rich.console
import tensorflow as tf

from semantic_id_ranking.pipeline import run as run_lib
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.run_records import RunRecords
from tests import synthetic

BAD = 5
SETTINGS = [
    "tasks=[{name: click}, {name: watch, label: watch_seconds, type: regression, weight: 0.2}]",
    "context={categorical: [dt, tab], numeric: [hour]}",
    "rqvae={levels: 2, codebook_size: 8, epochs: 2}",
    "representation.rows=64",
    "ranker={embedding_dim: 8, bottom_widths: [16], head_widths: [8], epochs: 1}",
]


def write_log(catalogue, folder):
    """Writes one hive folder a day; returns the rows that are good."""
    rng = np.random.default_rng(5)
    log = synthetic.impressions(catalogue, 2000, 40)
    log["click"] = log["click"].astype("Int8").mask(rng.random(2000) < 0.2)
    log["watch_seconds"] = log["watch_seconds"].mask(log["click"] != 1)
    log["user_id"] = log["user_id"].mask(rng.random(2000) < 0.15)
    bad = np.zeros(2000, bool)
    bad[rng.choice(2000, BAD, replace=False)] = True
    log.loc[bad, "timestamp"] = pd.Timestamp("1971-01-01", tz="UTC")
    day = (np.arange(2000) // 500).astype(str)
    for name, rows in log.groupby(day):
        path = folder / f"dt=2024-03-0{int(name) + 1}"
        path.mkdir(parents=True)
        synthetic.write(rows, path / "part-0.parquet")
    (folder / "_SUCCESS").touch()
    return log[~bad].sort_values("timestamp", kind="stable")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gaps")
    catalogue = synthetic.items(120)
    items = synthetic.write(catalogue, folder / "items.parquet")
    good = write_log(catalogue, folder / "log")
    output = str(folder / "output")
    printed = io.StringIO()
    console = rich.console.Console(file=printed, width=160)
    config = load_config(overrides=SETTINGS)
    summary = run_lib.run(items, str(folder / "log"), output, config, console, skip_bad=BAD)
    return good, output, summary, printed.getvalue()


def examples(output, split):
    records = RunRecords(Destinations.under(output).metadata)
    uri = records.output("FeatureJoiner", "examples").uri
    files = sorted(str(path) for path in tf.io.gfile.glob(f"{uri}/Split-{split}/*.gz"))
    for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        yield tf.train.Example.FromString(record).features.feature


@pytest.mark.slow
def test_what_lacks_is_counted_and_masked(run):
    good, output, summary, printed = run
    training, evaluation = good[:-200], good[-200:]

    assert summary.inputs["impressions"] == {"rows": 2000, "rejected": BAD}
    assert f"{BAD} bad impressions were put aside" in printed
    rejects = pq.read_table(os.path.join(output, "impressions.rejects.parquet"))
    assert rejects.num_rows == BAD

    counts = summary.impressions
    for split, rows in (("train", training), ("eval", evaluation)):
        assert counts.joined[split] == len(rows)
        assert counts.without_user[split] == rows["user_id"].isna().sum()
        for task, label in (("click", "click"), ("watch", "watch_seconds")):
            assert counts.masked_labels[split][task] == rows[label].isna().sum()

    metrics = summary.models["ranker"].metrics
    assert metrics["click"]["all"].examples == evaluation["click"].notna().sum()
    assert metrics["watch"]["all"].examples == evaluation["watch_seconds"].notna().sum()


@pytest.mark.slow
def test_a_missing_user_has_no_history_and_the_folder_is_a_feature(run):
    good, output, _, _ = run
    anonymous = 0
    days = set()
    for features in examples(output, "eval"):
        days.update(features["context_dt"].bytes_list.value)
        if list(features["user_id"].bytes_list.value) in ([], [b""]):
            anonymous += 1
            assert not features["history_item_id"].bytes_list.value
    assert anonymous == good[-200:]["user_id"].isna().sum()
    assert days == {b"2024-03-04"}
