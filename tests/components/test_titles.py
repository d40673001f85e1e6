"""Titles that FeatureJoiner stores beside the histories."""

import json

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from semantic_id_ranking.components.feature_joiner.titles import write_titles


def example(**features):
    values = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        for name, value in features.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString()


def titles(tmp_path, train, evaluation):
    items = standard_artifacts.Examples()
    items.uri = str(tmp_path / "items")
    items.split_names = json.dumps(["train", "eval"])
    for split, rows in (("train", train), ("eval", evaluation)):
        (tmp_path / "items" / f"Split-{split}").mkdir(parents=True)
        path = tmp_path / "items" / f"Split-{split}" / "data_tfrecord-0.gz"
        with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions("GZIP")) as writer:
            for row in rows:
                writer.write(row)
    arguments = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
    with beam.Pipeline(argv=arguments) as pipeline:
        write_titles(pipeline, items, str(tmp_path / "histories"))
    found = {}
    for path in (tmp_path / "histories" / "titles").glob("*.parquet"):
        found |= dict(pq.read_table(path).to_pandas().to_numpy().tolist())
    return found


def test_the_items_of_every_split_that_have_a_title(tmp_path):
    train = [example(item_id="a", title="Käse"), example(item_id="b")]
    found = titles(tmp_path, train, [example(item_id="c", title="C")])
    assert found == {"a": "Käse", "c": "C"}


@pytest.mark.parametrize("evaluation", [[], [example(item_id="c")]])
def test_items_without_titles(tmp_path, evaluation):
    assert titles(tmp_path, [example(item_id="a")], evaluation) == {}
