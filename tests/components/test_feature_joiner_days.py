"""FeatureJoiner on Beam, with the state of the days before."""

import json
import pathlib

import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.contracts.errors import InputError
from tests.components.feature_joiner_runs import day
from tests.components.feature_joiner_runs import examples
from tests.components.feature_joiner_runs import HOUR
from tests.components.feature_joiner_runs import impression
from tests.components.feature_joiner_runs import state_tables

FIRST = [impression(b"u", b"a", 1, 1), impression(b"v", b"b", 2, 1), impression(None, b"a", 3, 0)]
SECOND = [impression(b"u", b"b", 25, 0), impression(b"w", b"a", 26, 1)]
THIRD = [impression(b"v", b"a", 75, 1), impression(b"u", b"a", 75, 1)]


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
    assert states[0]["labels"] == states[2]["labels"]
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
