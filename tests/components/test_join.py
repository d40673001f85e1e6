"""The join of one group of users, against hand-made impressions."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from semantic_id_ranking.components.feature_joiner.impressions import by_group
from semantic_id_ranking.components.feature_joiner.impressions import concatenate
from semantic_id_ranking.components.feature_joiner.impressions import input_column
from semantic_id_ranking.components.feature_joiner.impressions import select
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join import final_histories
from semantic_id_ranking.components.feature_joiner.join import join
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters

DAY = 86_400_000_000
PARAMETERS = JoinParameters(
    labels={"click": "clicked"},
    regressions=(),
    positive="clicked",
    categorical=("tab",),
    numeric=("hour",),
    history_length=2,
    new_days=1.0,
    head_share=0.5,
    torso_share=0.3,
    max_unknown_fraction=0.0,
    shards=1,
    item_column="item_id",
    impressions="impressions.parquet",
)
TABLE = ItemTable(
    ids=pd.Index(np.array([b"a", b"b", b"c"], object)),
    sids=np.array([[0, 1], [2, 3], [4, 5]], np.int32),
    created_at=np.array([0, 0, 4 * DAY]),
)
POPULARITY = np.array([b"head", b"torso", b"tail"], object)
SEEN = np.array([True, True, False])


def impressions(**columns):
    """User u sees a (clicked), b (not), a again (clicked) a day apart, then c; user v sees c."""
    base = {
        "user_id": np.array([b"u", b"u", b"u", b"u", b"v"], object),
        "timestamp": np.array([1, 2, 3, 4, 5]) * DAY,
        "item": np.array([0, 1, 0, 2, 2]),
        "current_item_id": np.array([b"", b"a", b"b", b"nobody", b""], object),
        "evaluation": np.array([False, False, False, True, True]),
        input_column("clicked"): np.array([1, 0, 1, 0, 1]),
        input_column("tab"): np.array([b"home", None, b"", b"home", b"x"], object),
        input_column("hour"): np.array([0.0, np.nan, 2.0, 3.0, 4.0]),
    }
    own = {name if name in base else input_column(name): values for name, values in columns.items()}
    return {**base, **own}


@pytest.fixture(scope="module")
def rows():
    """(user, timestamp in days) -> the joined features."""
    result = {}
    for evaluation, batch in join(impressions(), TABLE, POPULARITY, SEEN, PARAMETERS):
        for row in batch.to_pylist():
            key = (row["user_id"][0], row["timestamp"][0] // DAY)
            assert key not in result
            result[key] = {**row, "evaluation": evaluation}
    return result


def test_every_impression_comes_out_once_in_its_split(rows):
    assert {key: row["evaluation"] for key, row in rows.items()} == {
        (b"u", 1): False,
        (b"u", 2): False,
        (b"u", 3): False,
        (b"u", 4): True,
        (b"v", 5): True,
    }


def test_history_holds_positives_strictly_before_most_recent_first(rows):
    histories = {key: row["history_item_id"] for key, row in rows.items()}
    assert histories == {
        (b"u", 1): [],
        (b"u", 2): [b"a"],
        (b"u", 3): [b"a"],
        (b"u", 4): [b"a", b"a"],
        (b"v", 5): [],
    }
    assert rows[b"u", 4]["history_sid"] == [0, 1, 0, 1]
    assert rows[b"u", 4]["history_length"] == [2.0]
    assert rows[b"v", 5]["history_sid"] == []


def test_a_later_impression_changes_no_earlier_history(rows):
    changed = impressions(clicked=np.array([1, 0, 0, 1, 0]))
    for _, batch in join(changed, TABLE, POPULARITY, SEEN, PARAMETERS):
        for row in batch.to_pylist():
            key = (row["user_id"][0], row["timestamp"][0] // DAY)
            if key[1] <= 3:
                assert row["history_item_id"] == rows[key]["history_item_id"]


def test_candidate_and_current_item_carry_their_codes(rows):
    assert rows[b"u", 2]["candidate_item_id"] == [b"b"]
    assert rows[b"u", 2]["candidate_sid"] == [2, 3]
    assert rows[b"u", 2]["current_sid"] == [0, 1]
    # No current item, and one that nobody knows, have no codes; the name of the latter is kept.
    assert rows[b"u", 1]["current_sid"] == [-1, -1]
    assert rows[b"u", 4]["current_sid"] == [-1, -1]
    assert rows[b"u", 4]["current_item_id"] == [b"nobody"]


def test_slices(rows):
    # Item c appeared on day 4: on that day its age is 0, a day later it is one day old, still new.
    assert [rows[key]["slice_age"] for key in sorted(rows)] == [
        [b"new"],
        [b"old"],
        [b"old"],
        [b"new"],
        [b"new"],
    ]
    assert rows[b"u", 4]["slice_seen"] == [b"unseen"]
    assert rows[b"u", 1]["slice_seen"] == [b"seen"]
    assert rows[b"u", 2]["slice_popularity"] == [b"torso"]


def test_the_candidates_age_is_joined_where_it_is_asked_for(rows):
    assert not [name for row in rows.values() for name in row if "age_days" in name]
    parameters = dataclasses.replace(PARAMETERS, item_age=True)
    # Item a appeared at time 0, item c on day 4.
    log = impressions(timestamp=np.array([1.5, 2, 3, 3.25, 5]) * DAY)
    ages = {}
    for _, batch in join(log, TABLE, POPULARITY, SEEN, parameters):
        for row in batch.to_pylist():
            ages[row["timestamp"][0] / DAY] = row["context_item_age_days"]
    # Item c has an impression before it was created: of age 0.
    assert ages == {1.5: [1.5], 2: [2.0], 3: [3.0], 3.25: [0.0], 5: [1.0]}


def test_labels_and_context_keep_zeros_and_leave_out_what_is_missing(rows):
    assert rows[b"u", 2]["label_click"] == [0.0]
    assert rows[b"u", 1]["context_hour"] == [0.0]
    assert rows[b"u", 2]["context_hour"] == []
    assert rows[b"u", 2]["context_tab"] == []
    assert rows[b"u", 3]["context_tab"] == [b""]


def histories_by_time(log, parameters=PARAMETERS):
    return {
        row["timestamp"][0] // DAY: (row["user_id"], row["history_item_id"])
        for _, batch in join(log, TABLE, POPULARITY, SEEN, parameters)
        for row in batch.to_pylist()
    }


def test_a_missing_label_counts_nowhere_and_makes_no_history():
    log = impressions(clicked=np.array([np.nan, 0, 1, np.nan, 1]))
    rows = {
        row["timestamp"][0] // DAY: row
        for _, batch in join(log, TABLE, POPULARITY, SEEN, PARAMETERS)
        for row in batch.to_pylist()
    }
    weights = {day: row["weight_click"] for day, row in rows.items()}
    assert weights == {1: [0.0], 2: [1.0], 3: [1.0], 4: [0.0], 5: [1.0]}
    assert all(np.isfinite(row["label_click"][0]) for row in rows.values())
    assert rows[3]["label_click"] == [1.0]
    # The click of day 1 is not known, so it is no history; that of day 3 is.
    assert rows[2]["history_item_id"] == []
    assert rows[4]["history_item_id"] == [b"a"]


@pytest.mark.parametrize("positive", ["clicked", None])
def test_nobody_has_no_history_and_is_in_nobodys(positive):
    parameters = dataclasses.replace(PARAMETERS, positive=positive)
    log = impressions(user_id=np.array([b"", b"u", b"u", b"", b"u"], object))
    found = histories_by_time(log, parameters)
    assert found[1] == found[4] == ([], [])
    assert found[2] == ([b"u"], [])
    # Item a, of day 3, alone or after b; not item a of day 1 nor c of day 4, which nobody saw.
    assert found[5] == ([b"u"], [b"a"] if positive else [b"a", b"b"])
    table = final_histories(log, TABLE, parameters).to_pydict()
    assert table["user_id"] == ["u"]


def test_a_log_of_nobody_is_joined():
    log = impressions(user_id=np.array([b""] * 5, object))
    assert set(map(str, histories_by_time(log).values())) == {"([], [])"}
    assert len(final_histories(log, TABLE, PARAMETERS)) == 0


def test_impressions_of_nobody_are_spread_over_the_groups():
    count = 4000
    block = {
        "user_id": np.array([b""] * count + [b"u"] * count, object),
        "timestamp": np.arange(2 * count) * 1_000_000,
        "item": np.zeros(2 * count, np.int64),
    }
    groups = dict(by_group(block, 8))
    nobody = [int((part["user_id"] == b"").sum()) for part in groups.values()]
    assert sum(nobody) == count
    assert max(nobody) < 1.3 * count / 8
    assert sum(b"u" in part["user_id"] for part in groups.values()) == 1


def test_the_order_of_a_group_does_not_depend_on_its_parts():
    rng = np.random.default_rng(0)
    log = {
        "user_id": rng.choice(np.array([b"", b"u", b"v"], object), 60),
        "timestamp": rng.integers(0, 4, 60),
        "item": rng.integers(0, 2, 60),
        "current_item_id": rng.choice(np.array([b"", b"x"], object), 60),
        "evaluation": rng.random(60) < 0.2,
        input_column("clicked"): rng.choice([0.0, 1.0, np.nan], 60),
        input_column("tab"): rng.choice(np.array([None, b"", b"home"], object), 60),
    }
    expected = concatenate([log])
    for seed in range(5):
        shuffled = select(log, np.random.default_rng(seed).permutation(60))
        parts = [select(shuffled, np.arange(a, a + 20)) for a in (40, 0, 20)]
        found = concatenate(parts)
        for name, column in expected.items():
            assert list(map(str, found[name])) == list(map(str, column)), name


def test_without_a_positive_task_every_impression_counts():
    parameters = dataclasses.replace(PARAMETERS, positive=None, history_length=9)
    for _, batch in join(impressions(), TABLE, POPULARITY, SEEN, parameters):
        for row in batch.to_pylist():
            if row["user_id"] == [b"u"] and row["timestamp"] == [4 * DAY]:
                assert row["history_item_id"] == [b"a", b"b", b"a"]


def test_final_histories_take_in_the_last_impression():
    table = final_histories(impressions(), TABLE, PARAMETERS).to_pydict()
    assert table == {"user_id": ["u", "v"], "item_id": [["a", "a"], ["c"]]}


def test_embeddings_are_joined_where_the_items_have_them(rows):
    assert not [name for name in rows[b"u", 3] if name.endswith("_embedding")]
    table = dataclasses.replace(TABLE, embeddings=np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    joined = {}
    for _, batch in join(impressions(), table, POPULARITY, SEEN, PARAMETERS):
        for row in batch.to_pylist():
            joined[row["user_id"][0], row["timestamp"][0] // DAY] = row
    # The third impression: item a, while looking at b, after a click on a.
    third = joined[b"u", 3]
    assert third["candidate_embedding"] == [1, 2]
    assert third["current_embedding"] == [3, 4]
    assert third["history_embedding"] == [1, 2]
    # The first: nothing before it, and no current item.
    assert joined[b"u", 1]["current_embedding"] == [0, 0]
    assert joined[b"u", 1]["history_embedding"] == []
    # The fourth: after two clicks on a, while looking at an item that nobody knows.
    assert joined[b"u", 4]["candidate_embedding"] == [5, 6]
    assert joined[b"u", 4]["current_embedding"] == [0, 0]
    assert joined[b"u", 4]["history_embedding"] == [1, 2, 1, 2]
