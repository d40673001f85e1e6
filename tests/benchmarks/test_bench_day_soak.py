import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.kills import Kills
from benchmarks.soak_log import SoakLog
from benchmarks.soak_report import Interval
from benchmarks.soak_report import summarize
from benchmarks.soak_state import differences


def test_kills_come_within_the_time_of_a_command_and_what_misses_comes_later():
    seconds = [10.0, 100.0, *4 * [1.0]]
    kills = Kills(seconds, 12, seed=0)
    assert kills.moment(0) < 10  # The command ended before that.
    moments = []
    while (moment := kills.moment(1)) is not None:
        moments.append(moment)
        kills.done.append(("day", moment))
    assert len(moments) == 12
    assert 10 < max(moments) < 100
    assert kills.moment(5) is None


def test_answers_are_counted_by_version_and_by_what_went_on():
    answers = {
        # Idle, in a command, 5 s before its release, 8 s after it, and idle again.
        "requests": [(0, 1.0, 7), (110, 2.0, 7), (145, 3.0, 7), (158, 5.0, 8), (300, 1.0, 8)],
        "failed": [(120, "ModelCallError")],
        "sent": {
            "7": {"a": [[1, 2]], "b": [[3, 4]]},
            "8": {"a": [[1, 2], [1, 9]], "b": [[3, 4]]},
        },
    }
    spaces = {7: "one", 8: "other"}
    sids = {"one": {"a": [1, 2], "b": [3, 4]}, "other": {"a": [1, 9], "b": [3, 4]}}
    result = summarize(answers, [Interval(100, 155, 150), Interval(20, 30, None)], spaces, sids)
    assert (result["requests"], result["failed"]) == (6, 1)
    assert result["answers"] == {7: 3, 8: 2}
    requests = {name: of_phase["requests"] for name, of_phase in result["latency"].items()}
    assert requests == {"idle": 2, "commands": 1, "releases": 2}
    assert result["latency"]["releases"]["p50_ms"] == 4.0
    # Version 8 was sent an item's Semantic ID of the space before.
    assert result["wrong"] == [("8", "a", [1, 2])]
    assert (result["sids"], result["sids_of_another_space"]) == (5, 1)
    assert result["items_that_differ"] == 1


def test_impressions_are_of_their_days_and_of_items_that_are_there(tmp_path):
    log = SoakLog(tmp_path, 4, 200)
    items = pq.read_table(log.items(3)).to_pylist()
    assert log.is_old.sum() < len(items) < len(log.item_ids)
    created = {item["item_id"]: item["created_at"] for item in items}
    rows = pq.read_table(log.impressions(1, 3)).to_pylist()
    assert len(rows) == 400
    assert {row["timestamp"].date().isoformat() for row in rows} == {"2024-03-02", "2024-03-03"}
    assert all(created[row["item_id"]] <= row["timestamp"] for row in rows)
    again = pq.read_table(SoakLog(tmp_path, 4, 200).impressions(2, 3)).to_pylist()
    assert again == rows[200:]


def test_states_are_compared_by_value_and_arrays_by_their_largest_difference():
    one = {"space": "x", "ranker": {"w": np.array([1.0, 2.0]), "ids": np.array([b"a"], object)}}
    assert differences(one, one) == {"space": True, "ranker": 0.0}
    other = {"space": "y", "ranker": {**one["ranker"], "w": np.array([1.5, 2.0])}}
    assert differences(one, other) == {"space": False, "ranker": 0.5}
    renamed = {"space": "x", "ranker": {**one["ranker"], "ids": np.array([b"b"], object)}}
    assert differences(one, renamed)["ranker"] == pytest.approx(np.inf)
    assert differences(one, {"space": "x", "ranker": {}})["ranker"] == "other variables"
