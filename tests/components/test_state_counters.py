"""Counters that `sid rank` takes from a state: those that a join of the next day attaches."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.components.feature_joiner.state import terms
from semantic_id_ranking.components.feature_joiner.state import user_file
from semantic_id_ranking.components.feature_joiner.state import write_items
from semantic_id_ranking.components.feature_joiner.state import write_state
from semantic_id_ranking.components.feature_joiner.state_counters import StateCounters
from semantic_id_ranking.components.feature_joiner.user_state import write_users
from semantic_id_ranking.contracts.errors import InputError
from tests.components import joined_logs

PARAMETERS = joined_logs.PARAMETERS
TABLE = joined_logs.TABLE
NEXT_DAY = 5
TASKS = PARAMETERS.counter_layout.tasks


@pytest.fixture(scope="module")
def before() -> joined_logs.Counted:
    """What is known after four days, item d seen in the first of them alone."""
    log = joined_logs.random_log(7, days=(0, 1, 3, 4))
    late = log["timestamp"].to_numpy() >= joined_logs.DAY
    of_d = log["item"].to_numpy() == 3
    return joined_logs.join(log.filter(pa.array(~(late & of_d))))


@pytest.fixture
def counters(tmp_path, before) -> StateCounters:
    """The same from files, as a run writes them."""
    state, sids = tmp_path / "state", tmp_path / "sids"
    state.mkdir()
    sids.mkdir()
    write_users(str(state / user_file(0, 1)), before.users, TABLE, PARAMETERS)
    write_items(str(state), [before.items], TABLE, PARAMETERS)
    last = NEXT_DAY * joined_logs.DAY - 1
    write_state(str(state), terms(PARAMETERS, "f"), 1, last, before.labels, None)
    names = [name.decode() for name in TABLE.ids]
    for number in (0, 1):
        part = {"item_id": names[number::2], "sid": TABLE.sids[: len(names)][number::2].tolist()}
        pq.write_table(pa.table(part), sids / f"sids-{number}.parquet")
    return StateCounters(str(state), str(sids), TASKS)


def next_day(before, user: str | None) -> dict[str, dict[str, list]]:
    """The counters by item that a join attaches to impressions of the next day."""
    day = joined_logs.random_log(0, rows=5, days=(NEXT_DAY, NEXT_DAY))
    changes = {
        "user_id": pa.array([user and user.encode()] * 5, pa.binary()),
        "item": pa.array(np.arange(5)),
    }
    for name, values in changes.items():
        day = day.set_column(day.schema.get_field_index(name), name, values)
    rows = joined_logs.join(day, before=before, start=NEXT_DAY * joined_logs.DAY).rows
    return {row["candidate_item_id"][0].decode(): row for row in rows}


@pytest.mark.parametrize("user", ["u", "w", "of nothing"])
def test_they_are_those_of_an_impression_of_the_next_day(before, counters, user):
    expected = next_day(before, user)
    items = ["e", "a", "d", "b", "c"]
    found = counters.context(items, user)
    for row, item in enumerate(items):
        of_item = expected[item]
        assert found["item_counters"][row].tolist() == of_item["context_item_counters"]
        assert found["user_counters"].tolist() == of_item["context_user_counters"]
        by_codes = of_item["context_user_code_counters"]
        assert found["user_code_counters"][row].tolist() == by_codes
    # Neither of no impression nor all alike.
    assert len(np.unique(found["item_counters"], axis=0)) > 3
    assert found["user_counters"].any() == (user != "of nothing")


def test_an_item_that_the_run_does_not_know(counters):
    found = counters.context(["never", "a"], "u")
    assert not found["item_counters"][0].any()
    assert np.isnan(found["user_code_counters"]).all(axis=1).tolist() == [True, False]


def test_semantic_ids_of_one_code(tmp_path, counters):
    rows = {"item_id": ["x"], "sid": [[3]]}
    pq.write_table(pa.table(rows), tmp_path / "sids" / "sids-2.parquet")
    found = counters.context(["x", "d"], "u")["user_code_counters"]
    half = found.shape[1] // 2
    # All items that begin with 3, and of those only e has a 0 behind it.
    assert found[0, :half].tolist() == found[1, :half].tolist()
    assert (
        found[0, half:].tolist()
        == counters.context(["e"], "u")["user_code_counters"][0][half:].tolist()
    )


def test_a_file_that_is_none_is_named(tmp_path, counters):
    path = tmp_path / "state" / "items.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(InputError) as caught:
        counters.context(["a"], "u")
    assert str(caught.value).startswith(f"{path}: cannot be read: ")
