"""The join of one group of users, against hand-made impressions."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from semantic_id_ranking.components.feature_joiner import blocks
from semantic_id_ranking.components.feature_joiner.blocks import input_column
from semantic_id_ranking.components.feature_joiner.item_table import build_item_table
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from tests.components import joined_logs
from tests.components.joined_logs import DAY

PARAMETERS = dataclasses.replace(
    joined_logs.PARAMETERS,
    labels={"click": "clicked"},
    regressions=(),
    history_length=2,
    by_event=True,
    evaluation_period=True,
)
SIDS = np.array([[0, 1], [2, 3], [4, 5]])
TABLE = ItemTable.of(
    pd.Index(np.array([b"a", b"b", b"c"], object)), SIDS, np.array([0, 0, 4 * DAY])
)


def log(**columns):
    """User u sees a (clicked), b (not), a again (clicked) a day apart, then c; user v sees c."""
    base = {
        "user_id": pa.array([b"u", b"u", b"u", b"u", b"v"], pa.binary()),
        "timestamp": np.array([1, 2, 3, 4, 5]) * DAY,
        "item": np.array([0, 1, 0, 2, 2]),
        "current_item_id": pa.array([b"", b"a", b"b", b"nobody", b""], pa.binary()),
        "evaluation": np.array([False, False, False, True, True]),
        input_column("clicked"): np.array([1, 0, 1, 0, 1], np.float32),
        input_column("tab"): pa.array([b"home", None, b"", b"home", b"x"], pa.binary()),
        input_column("hour"): np.array([0.0, np.nan, 2.0, 3.0, 4.0], np.float32),
    }
    own = {name if name in base else input_column(name): values for name, values in columns.items()}
    columns = {**base, **own}
    return pa.table({**columns, "timestamp": columns["timestamp"].astype(np.int64)})


def joined(impressions, parameters=PARAMETERS, table=TABLE):
    """Time in days -> the joined features."""
    rows = joined_logs.join(impressions, parameters, table=table).rows
    return {row["timestamp"][0] / DAY: row for row in rows}


@pytest.fixture(scope="module")
def rows():
    return joined(log())


def test_history_holds_positives_strictly_before_most_recent_first(rows):
    histories = {time: row["history_item_id"] for time, row in rows.items()}
    assert histories == {1: [], 2: [b"a"], 3: [b"a"], 4: [b"a", b"a"], 5: []}
    assert rows[4]["history_sid"] == [0, 1, 0, 1]
    assert rows[4]["history_length"] == [2.0]
    assert rows[5]["history_sid"] == []


def test_by_days_nothing_of_the_day_is_known():
    parameters = dataclasses.replace(PARAMETERS, by_event=False)
    found = joined(log(timestamp=np.array([1.0, 1.5, 1.75, 2.0, 5.0]) * DAY), parameters)
    assert [row["history_item_id"] for row in found.values()] == [[], [], [], [b"a", b"a"], []]


def test_candidate_and_current_item_carry_their_codes(rows):
    assert rows[2]["candidate_item_id"] == [b"b"]
    assert rows[2]["candidate_sid"] == [2, 3]
    assert rows[2]["current_sid"] == [0, 1]
    # No current item, and one that nobody knows, have no codes; the name of the latter is kept.
    assert rows[1]["current_sid"] == [-1, -1]
    assert rows[4]["current_sid"] == [-1, -1]
    assert rows[4]["current_item_id"] == [b"nobody"]


def test_only_what_is_read_is_joined():
    parameters = dataclasses.replace(
        PARAMETERS, item_fields=("item_id",), current_item=False, counters=False
    )
    found = joined(log().drop(["current_item_id"]), parameters)[2]
    assert not [name for name in found if "sid" in name or "current" in name or "counters" in name]
    assert found["candidate_item_id"] == [b"b"]
    assert found["history_item_id"] == [b"a"]


def test_slices(rows):
    # Item c appeared on day 4: on that day its age is 0, a day later it is one day old, still new.
    assert [row["slice_age"] for row in rows.values()] == [
        [b"new"],
        [b"old"],
        [b"old"],
        [b"new"],
        [b"new"],
    ]
    # In the evaluation period, from day 4 on, what training saw counts, and no more.
    assert [row["slice_seen"][0] for row in rows.values()] == [
        b"unseen",
        b"unseen",
        b"seen",
        b"unseen",
        b"unseen",
    ]


def test_the_candidates_age_is_joined_where_it_is_asked_for(rows):
    assert not [name for row in rows.values() for name in row if "age_days" in name]
    parameters = dataclasses.replace(PARAMETERS, item_age=True)
    # Item a appeared at time 0, item c on day 4, of item b it is not known.
    created = np.array([0, np.iinfo(np.int64).min, 4 * DAY])
    table = ItemTable.of(TABLE.ids, SIDS, created)
    found = joined(log(timestamp=np.array([1.5, 2, 3, 3.25, 5]) * DAY), parameters, table)
    ages = {time: row.get("context_item_age_days", []) for time, row in found.items()}
    # Item c is impressed before it was created: of age 0.
    assert ages == {1.5: [1.5], 2: [], 3: [3.0], 3.25: [0.0], 5: [1.0]}
    assert found[2]["slice_age"] == [b"old"]


def test_labels_and_context_keep_zeros_and_leave_out_what_is_missing(rows):
    assert rows[2]["label_click"] == [0.0]
    assert rows[1]["context_hour"] == [0.0]
    assert rows[2].get("context_hour", []) == []
    assert "context_tab" not in rows[2]
    assert rows[3]["context_tab"] == [b""]


def test_a_missing_label_counts_nowhere_and_makes_no_history():
    found = joined(log(clicked=np.array([np.nan, 0, 1, np.nan, 1], np.float32)))
    weights = [row["weight_click"] for row in found.values()]
    assert weights == [[0.0], [1.0], [1.0], [0.0], [1.0]]
    assert all(np.isfinite(row["label_click"][0]) for row in found.values())
    # The click of day 1 is not known, so it is no history; that of day 3 is.
    assert [found[day]["history_item_id"] for day in (2, 4)] == [[], [b"a"]]
    # Item a on day 3: one impression before, without a label.
    assert found[3]["context_item_counters"][:3] == [1, 0, 0]


@pytest.mark.parametrize("positive", ["clicked", None])
def test_nobody_has_no_history_and_is_in_nobodys(positive):
    parameters = dataclasses.replace(PARAMETERS, positive=positive)
    users = pa.array([None, b"u", b"u", None, b"u"], pa.binary())
    found = joined(log(user_id=users), parameters)
    for time in (1, 4):
        assert "user_id" not in found[time]
        assert found[time]["history_item_id"] == []
        assert set(found[time]["context_user_counters"]) == {0}
        assert set(found[time]["context_user_code_counters"]) == {0}
    # Item a, of day 3, alone or after b; not item a of day 1 nor c of day 4, which nobody saw.
    assert found[5]["history_item_id"] == ([b"a"] if positive else [b"a", b"b"])
    # But the item was impressed.
    assert found[5]["context_item_counters"][0] == 1
    assert joined_logs.join(log(user_id=users), parameters, table=TABLE).users.ids.to_pylist() == [
        b"u"
    ]


def test_impressions_of_nobody_are_spread_over_the_groups():
    count = 4000
    block = pa.table(
        {
            "user_id": pa.array([None] * count + [b"u"] * count, pa.binary()),
            "timestamp": np.arange(2 * count) * 1_000_000,
            "item": np.zeros(2 * count, np.int64),
        }
    )
    parts = dict(blocks.deal(block, blocks.user_groups(block, 8)))
    found = [blocks.join_parts([part]) for part in parts.values()]
    nobody = [part["user_id"].null_count for part in found]
    assert sum(nobody) == count
    assert max(nobody) < 1.3 * count / 8
    assert sum(b"u" in part["user_id"].to_pylist() for part in found) == 1


def test_embeddings_are_joined_where_the_items_have_them(rows):
    assert not [name for name in rows[3] if name.endswith("_embedding")]
    embeddings = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    table = ItemTable.of(TABLE.ids, SIDS, TABLE.created_at, embeddings)
    found = joined(log(), dataclasses.replace(PARAMETERS, item_fields=("embedding",)), table)
    # The third impression: item a, while looking at b, after a click on a.
    assert found[3]["candidate_embedding"] == [1, 2]
    assert found[3]["current_embedding"] == [3, 4]
    assert found[3]["history_embedding"] == [1, 2]
    # The first: nothing before it, and no current item.
    assert found[1]["current_embedding"] == [0, 0]
    assert found[1]["history_embedding"] == []
    # The fourth: after two clicks on a, while looking at an item that nobody knows.
    assert found[4]["candidate_embedding"] == [5, 6]
    assert found[4]["current_embedding"] == [0, 0]
    assert found[4]["history_embedding"] == [1, 2, 1, 2]


def sid_table():
    codes = pa.array([[1, 2], [3, 4]], pa.list_(pa.int32()))
    return pa.table({"item_id": ["b", "a"], "sid": codes})


def items(*ids):
    return pa.table(
        {"item_id": pa.array(ids, pa.binary()), "created_at": np.full(len(ids), 7, np.int64)}
    )


def test_items_that_are_gone_keep_their_row():
    # Item b left the items, item c has no Semantic ID any more and is in the state.
    state = np.array([b"c", b"a"], object), np.array([5, 7])
    table = build_item_table(None, [sid_table()], [items(b"a")], [state])
    assert table.ids.tolist() == [b"a", b"b", b"c"]
    assert table.sids.tolist() == [[3, 4], [1, 2], [-1, -1], [-1, -1]]
    assert table.has_sid(table.find(np.array([b"a", b"b", b"c", b"d"], object))).tolist() == [
        True,
        True,
        False,
        False,
    ]
    ages = table.ages(np.array([0, 1]), DAY + 7)
    assert ages[0] == 1
    assert np.isnan(ages[1])


def test_an_item_was_created_when_a_day_before_says():
    # Of item a, 7 is the first impression of the day; b is gone.
    unknown = np.iinfo(np.int64).min
    state = np.array([b"a", b"b"], object), np.array([3, unknown])
    table = build_item_table(None, [sid_table()], [items(b"a")], [state])
    assert table.created_at.tolist()[:2] == [3, unknown]
    later = np.array([b"a", b"b"], object), np.array([9, 4])
    table = build_item_table(None, [sid_table()], [items(b"a")], [later])
    assert table.created_at.tolist()[:2] == [7, 4]


def test_an_item_without_a_semantic_id_is_refused():
    with pytest.raises(ValueError, match="item 'c' has no Semantic ID"):
        build_item_table(None, [sid_table()], [items(b"a", b"c")], [])
