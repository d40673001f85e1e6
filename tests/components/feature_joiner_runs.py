"""Runs of FeatureJoiner on Beam, and what they wrote."""

import json
import pathlib
import types

import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import State
from semantic_id_ranking.components.feature_joiner.executor import Executor
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.sid_space import SidSpace
from tests.components.artifact_files import artifact
from tests.components.artifact_files import beam_context
from tests.components.artifact_files import example
from tests.components.artifact_files import write_examples

SPACE = SidSpace("0" * 16, levels=2, codebook_size=8, embedding_dim=3)
HOUR = 3_600_000_000
PARAMETERS = {
    "labels": {"click": "clicked"},
    "regressions": [],
    "positive": "clicked",
    "categorical": [],
    "numeric": [],
    "history_length": 3,
    "new_days": 1.0,
    "head_share": 0.5,
    "torso_share": 0.3,
    "max_unknown_fraction": 0.2,
    "shards": 3,
    "item_column": "film",
    "impressions": "log.parquet",
}
# Of a day.
DAILY = {"counters": True, "max_unknown_fraction": 0.9, "evaluation_period": False}


def impression(user, item, hour, clicked):
    """One without a user or a label where it is None."""
    optional = {"user_id": user, "clicked": clicked}
    given = {name: value for name, value in optional.items() if value is not None}
    return example(item_id=item, timestamp=hour * HOUR, **given)


def run(
    tmp_path,
    train,
    evaluation,
    parameters=PARAMETERS,
    earlier=None,
    with_sids=("a", "b"),
    more_sids=types.MappingProxyType({}),
    delisted=(),
):
    """Joins impressions of items a, b and others by their Semantic IDs; returns the outputs."""
    has_b = "b" in with_sids and "b" not in delisted
    of_a = {"created_at": 1, "embedding": [1.0, 2.0], "title": b"A"}
    b = example(item_id=b"b", created_at=99 * HOUR, embedding=[3.0, 4.0], title=b"B")
    items = write_examples(
        artifact(standard_artifacts.Examples, tmp_path / "items"),
        train=[example(item_id=item.encode(), **of_a) for item in ("a", *more_sids)],
        eval=[b] if has_b else [],
    )
    impressions = write_examples(
        artifact(standard_artifacts.Examples, tmp_path / "impressions"),
        train=train,
        eval=evaluation,
    )
    sids = artifact(SemanticIds, tmp_path / "sids")
    rows = {"b": [6, 7], "a": [1, 2]}
    rows = {item: sid for item, sid in rows.items() if item in with_sids} | more_sids
    table = pa.table(
        [pa.array(list(rows)), pa.array(list(rows.values()), pa.list_(pa.int32()))],
        sid_table.schema(SPACE),
    )
    pq.write_table(table, f"{sids.uri}/sids.parquet")
    outputs = {
        "examples": artifact(standard_artifacts.Examples, tmp_path / "out"),
        "schema": artifact(standard_artifacts.Schema, tmp_path / "schema"),
        "state": artifact(State, tmp_path / "state"),
    }
    Executor(beam_context(tmp_path / "tmp")).Do(
        {
            "impressions": [impressions],
            "items": [items],
            "semantic_ids": [sids],
            **({"earlier_state": [earlier]} if earlier else {}),
        },
        {name: [output] for name, output in outputs.items()},
        {"parameters": json.dumps(parameters), "span": 0},
    )
    return outputs


def read(uri, split):
    rows = []
    for path in sorted(pathlib.Path(uri, f"Split-{split}").glob("*.gz")):
        for record in tf.data.TFRecordDataset(str(path), "GZIP"):
            rows.append(tf.train.Example.FromString(record.numpy()).features.feature)
    return rows


def values(row, name):
    feature = row[name]
    return list(getattr(feature, feature.WhichOneof("kind")).value)


def day(tmp_path, name, rows, earlier=None, sids=("a", "b"), delisted=(), **changed):
    """Joins the training impressions of a day; returns the outputs."""
    folder = tmp_path / name
    folder.mkdir()
    return run(
        folder, rows, [], {**PARAMETERS, **DAILY, **changed}, earlier, sids, delisted=delisted
    )


def examples(*outputs):
    """All training examples, features in the order of their names; by user, time and item."""
    found = [
        {name: values(row, name) for name in sorted(row)}
        for output in outputs
        for row in read(output["examples"].uri, "train")
    ]
    keys = ("user_id", "timestamp", "candidate_item_id")
    return sorted(found, key=lambda row: [row.get(key, []) for key in keys])


def state_tables(output):
    """The tables of a state, users in the order of their ids."""
    folder = pathlib.Path(output["state"].uri)
    users = pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("users-*"))])
    return users.sort_by("user_id"), pq.read_table(folder / "items.parquet")
