"""FeatureJoiner on Beam, from Examples files to Examples files."""

import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from semantic_id_ranking.contracts.errors import InputError
from tests.components.feature_joiner_runs import HOUR
from tests.components.feature_joiner_runs import impression
from tests.components.feature_joiner_runs import PARAMETERS
from tests.components.feature_joiner_runs import read
from tests.components.feature_joiner_runs import run
from tests.components.feature_joiner_runs import values


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


def test_every_example_has_what_the_labels_before_its_day_predict(outputs):
    train, evaluation = (read(outputs["examples"].uri, split) for split in ("train", "eval"))
    assert {tuple(values(row, "item_rate_click")) for row in train} == {(0.5,)}
    # Nothing is known of item b, and one of three labels before is positive.
    assert {tuple(values(row, "item_rate_click")) for row in evaluation} == {(0.375,)}


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
