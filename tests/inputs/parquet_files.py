"""Small Parquet inputs, and the tf.Examples made of them."""

import glob
import os
from datetime import datetime
from datetime import timedelta
from datetime import timezone

import pyarrow as pa
import pyarrow.parquet as pq

from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.inputs.impression_parameters import ImpressionParameters
from semantic_id_ranking.inputs.item_parameters import ItemParameters

#: Days are counted from here.
DAY_0 = datetime(2024, 1, 1, tzinfo=timezone.utc)
DAY_0_MICROSECONDS = 1_704_067_200_000_000
DAY_MICROSECONDS = 86_400_000_000


def days(values, unit="us", zone="UTC"):
    """A timestamp column, from numbers of days since DAY_0; None stays."""
    times = [None if v is None else DAY_0 + timedelta(days=v) for v in values]
    return pa.array(times, pa.timestamp(unit, tz=zone))


def vectors(rows, kind=None):
    """An embedding column."""
    return pa.array(rows, kind or pa.list_(pa.float32()))


def items(**changes):
    """Four items, created on days 0 to 3; a column given as None is left out."""
    columns = {
        "item_id": pa.array(["a", "b", "c", "d"]),
        "embedding": vectors([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [0.5, -1.0]]),
        "created_at": days([0, 1, 2, 3]),
        "title": pa.array(["A", "B", "C", "D"]),
    }
    return _table(columns | changes)


def impressions(**changes):
    """Ten impressions, one a day from day 0 on."""
    columns = {
        "user_id": pa.array([f"u{i % 3}" for i in range(10)]),
        "item_id": pa.array(list("abcdabcdab")),
        "timestamp": days(range(10)),
        "click": pa.array([0, 1] * 5, pa.int8()),
    }
    return _table(columns | changes)


def item_parameters(**changes):
    """Of `items`: those of days 0 and 1 train."""
    values = {"evaluation_start": "2024-01-03"}
    return ItemParameters(**(values | changes))


def impression_parameters(**changes):
    """Of `impressions`: those of days 0 to 7 train."""
    values = {
        "tasks": [{"name": "watch", "label": "click", "type": "binary"}],
        "evaluation_start": "2024-01-09T00:00:00Z",
    }
    return ImpressionParameters(**(values | changes))


def write(table, path, row_group_size=None):
    """Writes Parquet and returns the path as text."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pq.write_table(table, path, row_group_size=row_group_size)
    return str(path)


def assert_says(message, *facts):
    """A message is one sentence that holds these facts."""
    assert message.endswith(".") and "\n" not in message
    for fact in facts:
        assert fact in message, message


def record(*paths):
    """Files as ItemGen and ImpressionGen take them."""
    return Fingerprints().record(DataSet.open([str(path) for path in paths]))


def item_gen(path, impressions=None, **parameters):
    """ItemGen of some files."""
    from semantic_id_ranking.components.item_gen.component import ItemGen

    log = record(impressions) if impressions else None
    values = {"evaluation_start": "2024-01-03T00:00:00+00:00"}
    return ItemGen(record(path), log, values | parameters)


def impression_gen(path, **parameters):
    """ImpressionGen of some files."""
    from semantic_id_ranking.components.impression_gen.component import ImpressionGen

    values = {
        "tasks": [{"name": "click", "label": "click", "type": "binary"}],
        "evaluation_start": "2024-01-03T00:00:00+00:00",
    }
    return ImpressionGen(record(path), values | parameters)


def run(components, root):
    """Runs TFX components with LocalDagRunner, in this process; returns the pipeline's folder."""
    from tfx.orchestration import metadata
    from tfx.orchestration import pipeline
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from semantic_id_ranking.pipeline.assemble import LOCAL_BEAM_ARGUMENTS

    root = str(root)
    LocalDagRunner().run(
        pipeline.Pipeline(
            pipeline_name="test",
            pipeline_root=root,
            components=components,
            enable_cache=True,
            metadata_connection_config=metadata.sqlite_metadata_connection_config(
                os.path.join(root, "metadata.sqlite")
            ),
            beam_pipeline_args=list(LOCAL_BEAM_ARGUMENTS),
        )
    )
    return root


def executions(root, component):
    """The number of executions of a component that were not answered from the cache."""
    return len(glob.glob(os.path.join(root, component, "examples", "*")))


def read_examples(root, component, split):
    """The Examples of a component's last run, each as a dict of the lists of its features.

    A feature without a kind, which is a missing one, is None.
    """
    import tensorflow as tf

    runs = glob.glob(os.path.join(root, component, "examples", "*"))
    files = glob.glob(os.path.join(max(runs, key=_number), f"Split-{split}", "*.gz"))
    assert files
    examples = []
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        examples.append({name: _values(feature) for name, feature in features.items()})
    return examples


def _number(folder):
    return int(os.path.basename(folder))


def _values(feature):
    kind = feature.WhichOneof("kind")
    return None if kind is None else (kind, list(getattr(feature, kind).value))


def _table(columns):
    return pa.table({name: column for name, column in columns.items() if column is not None})
