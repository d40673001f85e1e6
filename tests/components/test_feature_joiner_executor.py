"""FeatureJoiner on Beam, from Examples files to Examples files."""

import json
import pathlib
import types

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import State
from semantic_id_ranking.components.feature_joiner.executor import Executor
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
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


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return run(
        tmp_path_factory.mktemp("join"),
        train=[
            impression(b"u", b"a", 1, 1),
            impression(b"v", b"a", 2, 0),
            impression(b"u", b"a", 3, 0),
            impression(b"u", b"nobody", 4, 1),
        ],
        evaluation=[impression(b"u", b"b", 100, 1), impression(b"v", b"b", 101, 0)],
    )


def test_splits_stay_apart_and_what_is_known_comes_through(outputs):
    train, evaluation = (read(outputs["examples"].uri, split) for split in ("train", "eval"))
    assert sorted(values(row, "timestamp")[0] // HOUR for row in train) == [1, 2, 3]
    assert sorted(values(row, "timestamp")[0] // HOUR for row in evaluation) == [100, 101]
    assert {tuple(values(row, "candidate_sid")) for row in train} == {(1, 2)}
    assert {tuple(values(row, "candidate_sid")) for row in evaluation} == {(6, 7)}


def test_evaluation_sees_the_training_past_and_unknown_items_leave_no_trace(outputs):
    by_user = {values(r, "user_id")[0]: r for r in read(outputs["examples"].uri, "eval")}
    assert values(by_user[b"u"], "history_item_id") == [b"a"]
    assert values(by_user[b"u"], "history_sid") == [1, 2]
    assert values(by_user[b"v"], "history_item_id") == []
    assert values(by_user[b"u"], "slice_seen") == [b"unseen"]
    assert values(by_user[b"u"], "slice_age") == [b"new"]
    assert values(by_user[b"u"], "slice_popularity") == [b"tail"]


def test_the_unknown_are_counted(outputs):
    counts = json.loads(pathlib.Path(outputs["state"].uri, "join.json").read_text())
    assert counts == {
        "impressions": 6,
        "unknown_items": 1,
        "unknown_current_items": 0,
        "late_impressions": 0,
        "without_user": {"train": 0, "eval": 0},
        "joined": {"train": 3, "eval": 2},
        "masked_labels": {"train": {"click": 0}, "eval": {"click": 0}},
        "examples_of_unknown": ["nobody"],
    }


def test_histories_for_serving_hold_the_end_of_the_log(outputs):
    tables = [pq.read_table(p) for p in pathlib.Path(outputs["state"].uri).glob("users-*.parquet")]
    table = pa.concat_tables(tables).to_pydict()
    assert dict(zip(table["user_id"], table["item_id"], strict=True)) == {"u": ["b", "a"], "v": []}


def test_item_ages_are_joined_and_kept_for_serving(tmp_path):
    outputs = run(
        tmp_path,
        train=[impression(b"u", b"a", 48, 1)],
        evaluation=[impression(b"u", b"b", 105, 1)],
        parameters={**PARAMETERS, "item_age": True},
    )
    (train,) = read(outputs["examples"].uri, "train")
    assert values(train, "context_item_age_days") == [pytest.approx(2.0)]
    schema = pathlib.Path(outputs["schema"].uri, "schema.pbtxt").read_text()
    assert '"context_item_age_days"' in schema
    # At the last impression: item a is as old as the log, item b appeared at hour 99.
    table = pq.read_table(pathlib.Path(outputs["state"].uri, "item_ages")).to_pydict()
    ages = dict(zip(table["item_id"], table["age_days"], strict=True))
    assert ages == {"a": pytest.approx(105 / 24), "b": pytest.approx(6 / 24)}


def test_without_item_ages_none_are_written(outputs):
    schema = pathlib.Path(outputs["schema"].uri, "schema.pbtxt").read_text()
    assert "age" not in schema
    assert not pathlib.Path(outputs["state"].uri, "item_ages").exists()


def test_missing_users_and_labels_are_joined_and_counted(tmp_path):
    outputs = run(
        tmp_path,
        train=[
            impression(None, b"a", 1, 1),
            impression(b"u", b"a", 2, None),
            impression(b"u", b"a", 3, 1),
            impression(None, b"a", 4, None),
        ],
        evaluation=[impression(b"u", b"b", 100, 1), impression(None, b"b", 101, None)],
    )
    counts = json.loads(pathlib.Path(outputs["state"].uri, "join.json").read_text())
    assert counts["without_user"] == {"train": 2, "eval": 1}
    assert counts["masked_labels"] == {"train": {"click": 2}, "eval": {"click": 1}}
    train = {values(r, "timestamp")[0] // HOUR: r for r in read(outputs["examples"].uri, "train")}
    assert [values(train[hour], "weight_click") for hour in (1, 2, 3, 4)] == [[1], [0], [1], [0]]
    evaluation = {
        values(r, "timestamp")[0] // HOUR: r for r in read(outputs["examples"].uri, "eval")
    }
    assert values(evaluation[100], "history_item_id") == [b"a"]
    assert values(evaluation[101], "history_item_id") == []
    assert not evaluation[101]["user_id"].WhichOneof("kind") or not values(
        evaluation[101], "user_id"
    )
    histories = pa.concat_tables(
        [pq.read_table(p) for p in pathlib.Path(outputs["state"].uri).glob("users-*.parquet")]
    )
    assert histories["user_id"].to_pylist() == ["u"]


@pytest.mark.parametrize("split", ["training", "evaluation"])
def test_a_task_without_any_label_in_a_split_is_refused(tmp_path, split):
    train, evaluation = (None, 1) if split == "training" else (1, None)
    with pytest.raises(InputError) as caught:
        run(
            tmp_path,
            train=[impression(b"u", b"a", 1, train), impression(b"v", b"a", 2, train)],
            evaluation=[impression(b"u", b"a", 100, evaluation)],
        )
    count = 2 if split == "training" else 1
    for fact in ("log.parquet", "column clicked", f"none of the {count}", split, "task click"):
        assert fact in str(caught.value)


def test_too_many_unknown_items_stop_the_run_and_are_named(tmp_path):
    with pytest.raises(InputError) as caught:
        run(
            tmp_path,
            train=[impression(b"u", b"a", 1, 1), impression(b"u", b"ghost", 2, 1)],
            evaluation=[impression(b"u", b"a", 100, 1)],
        )
    for fact in ("log.parquet", "column film", "1 of 3", "33.3%", "'ghost'", "20.0%"):
        assert fact in str(caught.value)


def test_the_schema_of_counters_has_their_widths_and_the_labels_they_are_smoothed_by(tmp_path):
    rows = [impression(b"u", b"a", 1, 1)]
    outputs = run(tmp_path, rows, [], {**PARAMETERS, "counters": True, "evaluation_period": False})
    text = pathlib.Path(outputs["schema"].uri, "schema.pbtxt").read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())
    widths = {f.name: f.shape.dim[0].size for f in schema.feature if f.HasField("shape")}
    assert widths == {
        "context_item_counters": 6,
        "context_user_counters": 3,
        "context_user_code_counters": 6,
        "history_length": 1,
        "label_click": 1,
        "weight_click": 1,
    }


def day(tmp_path, name, rows, earlier=None, sids=("a", "b"), delisted=(), **changed):
    """Joins the training impressions of a day; returns the outputs."""
    folder = tmp_path / name
    folder.mkdir()
    return run(
        folder, rows, [], {**PARAMETERS, **DAILY, **changed}, earlier, sids, delisted=delisted
    )


DAILY = {"counters": True, "max_unknown_fraction": 0.9, "evaluation_period": False}
FIRST = [impression(b"u", b"a", 1, 1), impression(b"v", b"b", 2, 1), impression(None, b"a", 3, 0)]
SECOND = [impression(b"u", b"b", 25, 0), impression(b"w", b"a", 26, 1)]
THIRD = [impression(b"v", b"a", 75, 1), impression(b"u", b"a", 75, 1)]


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


def test_days_one_by_one_and_at_once_come_to_the_same_files(tmp_path):
    once = day(tmp_path, "once", FIRST + SECOND + THIRD, shards=2)
    first = day(tmp_path, "first", FIRST)
    # A state of three groups is read by four.
    second = day(tmp_path, "second", SECOND, first["state"], shards=4)
    third = day(tmp_path, "third", THIRD, second["state"], shards=1)
    assert examples(first, second, third) == examples(once)
    assert [t.to_pydict() for t in state_tables(third)] == [
        t.to_pydict() for t in state_tables(once)
    ]
    states = [
        json.loads(pathlib.Path(output["state"].uri, "state.json").read_text())
        for output in (once, second, third)
    ]
    assert [content["day"] for content in states] == [4, 2, 4]
    assert states[1]["as_of"] == "1970-01-03T00:00:00+00:00"
    # Users of many groups are not put into fewer: a group has to fit into memory.
    assert [content["groups"] for content in states] == [2, 4, 4]


def test_what_a_state_holds(tmp_path):
    users, items = state_tables(day(tmp_path, "day", FIRST))
    assert users.to_pydict() == {
        "user_id": ["u", "v"],
        "item_id": [["a"], ["b"]],
        "timestamp": [[1 * HOUR], [2 * HOUR]],
        "label_click": [[1.0], [1.0]],
        "impressions": [1, 1],
        "labels_click": [1, 1],
        "positives_click": [1, 1],
        "codes": [[1, 2], [6, 7]],
        "codes_impressions": [[1], [1]],
        "codes_labels_click": [[1], [1]],
        "codes_positives_click": [[1], [1]],
    }
    found = items.to_pydict()
    assert found["item_id"] == ["a", "b"]
    assert (found["impressions"], found["positives_click"]) == ([2, 1], [1, 1])
    # Faded from the start of day 0 on, with a half-life of seven days.
    weights = [2 ** (hour / 168) for hour in (1, 2, 3)]
    assert found["recent_impressions"] == pytest.approx([weights[0] + weights[2], weights[1]], 1e-6)
    assert found["recent_day"] == [0, 0]


def test_items_that_lost_their_semantic_id_stay_in_histories_and_counters(tmp_path):
    first = day(tmp_path, "first", FIRST)
    rows = [impression(b"v", b"a", 25, 1), impression(b"v", b"b", 26, 1)]
    second = day(tmp_path, "second", rows, first["state"], sids=("a",))
    counts = json.loads(pathlib.Path(second["state"].uri, "join.json").read_text())
    assert counts["unknown_items"] == 1
    (row,) = examples(second)
    assert row["history_item_id"] == [b"b"]
    assert row["history_sid"] == [-1, -1]
    users, items = (table.to_pydict() for table in state_tables(second))
    assert dict(zip(users["user_id"], users["item_id"], strict=True))["v"] == ["a", "b"]
    assert dict(zip(items["item_id"], items["impressions"], strict=True)) == {"a": 3, "b": 1}


@pytest.mark.parametrize("join_late", [False, True])
def test_late_impressions_are_counted_and_joined_if_they_are_to_be(tmp_path, join_late):
    first = day(tmp_path, "first", FIRST)
    late = [impression(b"u", b"b", 5, 1)]
    second = day(tmp_path, "second", SECOND + late, first["state"], join_late=join_late)
    counts = json.loads(pathlib.Path(second["state"].uri, "join.json").read_text())
    assert counts["late_impressions"] == 1
    assert counts["joined"]["train"] == (3 if join_late else 2)
    found = [row for row in examples(second) if row["timestamp"] == [5 * HOUR]]
    assert [row["history_item_id"] for row in found] == ([[b"a"]] if join_late else [])
    users, _ = (table.to_pydict() for table in state_tables(second))
    expected = ["b", "a"] if join_late else ["a"]
    assert dict(zip(users["user_id"], users["item_id"], strict=True))["u"] == expected


def test_a_day_without_an_impression_copies_the_state(tmp_path):
    first = day(tmp_path, "first", FIRST)
    second = day(tmp_path, "second", [], first["state"])
    assert [t.to_pydict() for t in state_tables(second)] == [
        t.to_pydict() for t in state_tables(first)
    ]
    content = json.loads(pathlib.Path(second["state"].uri, "state.json").read_text())
    assert content["day"] == 1


@pytest.mark.parametrize(
    ("changed", "facts"),
    [
        ({"history_length": 9}, ["history_length", "3", "9"]),
        ({"counters": False}, ["counters", "True", "False"]),
        ({"half_life": 1e9}, ["half_life"]),
        ({"labels": {"like": "clicked"}}, ["tasks", "click", "like"]),
    ],
)
def test_a_state_of_other_terms_is_refused_in_one_sentence(tmp_path, changed, facts):
    first = day(tmp_path, "first", FIRST)
    with pytest.raises(InputError) as caught:
        day(tmp_path, "second", SECOND, first["state"], **changed)
    for fact in (first["state"].uri, *facts):
        assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


def test_delisted_items_are_known_by_their_earlier_semantic_id(tmp_path):
    fields = {"item_fields": ["sid", "embedding"], "max_unknown_fraction": 0.0, "item_age": True}
    first = day(tmp_path, "first", FIRST, **fields)
    rows = [impression(b"v", b"a", 25, 1), impression(b"v", b"b", 26, 1)]
    second = day(tmp_path, "second", rows, first["state"], delisted=("b",), **fields)
    counts = json.loads(pathlib.Path(second["state"].uri, "join.json").read_text())
    assert (counts["unknown_items"], counts["joined"]["train"]) == (0, 2)
    _, gone = examples(second)
    assert gone["candidate_sid"] == [6, 7]
    assert gone["candidate_embedding"] == [0.0, 0.0]
    # One impression and click of the day before, as of an item that is there.
    assert gone["context_item_counters"][:3] == [1, 1, 1]
    titles = pq.read_table(pathlib.Path(second["state"].uri, "titles")).to_pydict()
    assert titles == {"item_id": ["a", "b"], "title": ["A", "B"]}


def test_what_was_never_known_stops_a_day_beyond_its_bound(tmp_path):
    first = day(tmp_path, "first", FIRST)
    rows = [impression(b"v", b"b", 25, 1), impression(b"v", b"ghost", 26, 1)]
    bounded = {"delisted": ("b",), "max_unknown_fraction": 0.4}
    with pytest.raises(InputError, match=r"1 of 2 impressions \(50.0%\) are of items that neither"):
        day(tmp_path, "second", rows, first["state"], **bounded)


def test_a_state_of_another_space_loses_its_counters_by_codes_alone(tmp_path):
    first = day(tmp_path, "first", FIRST)
    kept = day(tmp_path, "kept", SECOND, first["state"])
    described = pathlib.Path(first["state"].uri, "state.json")
    content = json.loads(described.read_text())
    described.write_text(json.dumps({**content, "sid_space": "f" * 16}))
    with pytest.raises(InputError, match="sid_space of the state is 'ffffffffffffffff'"):
        day(tmp_path, "refused", SECOND, first["state"])
    replayed = day(tmp_path, "replayed", SECOND, first["state"], other_space=True)
    users, items = (table.to_pydict() for table in state_tables(replayed))
    all_users, all_items = (table.to_pydict() for table in state_tables(kept))
    assert items == all_items
    by_codes = [name for name in users if name.startswith("codes")]
    assert {n: c for n, c in users.items() if n not in by_codes} == {
        n: c for n, c in all_users.items() if n not in by_codes
    }
    # Of the users u, v and w, what the second day counts.
    assert all_users["codes_impressions"] == [[1, 1], [1], [1]]
    assert users["codes"] == [[6, 7], [], [1, 2]]
    assert users["codes_impressions"] == [[1], [], [1]]
