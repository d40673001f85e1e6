"""Counters and users of a state into a store: again, after an interruption, and refusals."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.components.feature_joiner.state import terms
from semantic_id_ranking.components.feature_joiner.state import user_file
from semantic_id_ranking.components.feature_joiner.state import write_items
from semantic_id_ranking.components.feature_joiner.state import write_state
from semantic_id_ranking.components.feature_joiner.user_state import write_users
from semantic_id_ranking.components.releaser import released_state
from semantic_id_ranking.components.releaser.publish_sids import publish_sids
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store.sqlite_sid_store import SqliteSidStore
from tests.components import joined_logs

PARAMETERS, TABLE = joined_logs.PARAMETERS, joined_logs.TABLE
SPACE = SidSpace("f" * 16, levels=3, codebook_size=8, embedding_dim=4)
ITEMS = [name.decode() for name in TABLE.ids]


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Tables of five items and three users, of which a transaction holds two."""
    monkeypatch.setattr(released_state, "_USERS", 2)
    monkeypatch.setattr(SqliteSidStore, "batch_items", 2)
    state, sids = tmp_path / "state", tmp_path / "sids"
    state.mkdir()
    sids.mkdir()
    known = joined_logs.join(joined_logs.random_log(7, days=(0, 1, 3, 4)))
    write_users(str(state / user_file(0, 1)), known.users, TABLE, PARAMETERS)
    write_items(str(state), [known.items], TABLE, PARAMETERS)
    last = 5 * joined_logs.DAY - 1
    write_state(str(state), terms(PARAMETERS, SPACE.fingerprint), 1, last, known.labels, None)
    table = sid_table.to_table(
        np.array(ITEMS, object),
        TABLE.sids[: len(ITEMS)].astype(np.int32),
        np.zeros(len(ITEMS), np.int64),
        SPACE,
    )
    pq.write_table(table, sids / "sids-0.parquet")
    return str(sids), str(state), f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture
def writes(monkeypatch):
    """Kinds of what each transaction writes; raises at the transaction of number `fail`."""

    class Writes(list):
        fail = None

    done, write = Writes(), SqliteSidStore._write

    def noted(self, fingerprint, values, *arguments, **options):
        if len(done) == done.fail:
            raise KeyboardInterrupt
        done.append(sorted(values))
        return write(self, fingerprint, values, *arguments, **options)

    monkeypatch.setattr(SqliteSidStore, "_write", noted)
    return done


def content(url):
    with open_store(url) as store:
        found = {user: store.get_items(SPACE.fingerprint, ITEMS, 10, user) for user in "uvw"}
    assert all(one.moment.tasks == ("click", "like") for one in found.values())
    assert not np.isnan(found["u"].counters).any()
    return [
        [one.sids.tolist(), one.counters.tolist(), one.user.item_ids, one.user.by_codes.tolist()]
        for one in found.values()
    ]


def test_it_is_written_in_order_and_once(folders, writes):
    sids, state, url = folders
    publish_sids(None, sids, url, state)
    assert writes == [["counter", "sid"]] * 3 + [["user"]] * 2 + [["moment"]]
    expected = content(url)
    publish_sids(None, sids, url, state)
    assert writes[6:] == [["moment"]]
    assert content(url) == expected


@pytest.mark.parametrize("fail", range(6))
def test_an_interrupted_one_goes_on_behind_its_last_transaction(folders, writes, fail, tmp_path):
    sids, state, url = folders
    publish_sids(None, sids, url, state)
    expected = content(url)
    (tmp_path / "store.sqlite").unlink()
    writes.clear()
    writes.fail = fail
    with pytest.raises(KeyboardInterrupt):
        publish_sids(None, sids, url, state)
    writes.fail = None
    publish_sids(None, sids, url, state)
    assert len(writes) == 6
    assert content(url) == expected


def test_another_state_of_the_same_table_is_written_anew(folders, writes):
    sids, state, url = folders
    publish_sids(None, sids, url, state)
    writes.clear()
    path = f"{state}/items.parquet"
    items = pq.read_table(path)
    at = items.schema.get_field_index("impressions")
    pq.write_table(items.set_column(at, "impressions", pa.array([77] * len(items))), path)
    publish_sids(None, sids, url, state)
    assert len(writes) == 6
    assert {row[0] for row in content(url)[0][1]} - {0.0} == {77.0}


def test_users_that_the_state_does_not_have_leave_the_store(folders):
    sids, state, url = folders
    publish_sids(None, sids, url, state)
    path = f"{state}/{user_file(0, 1)}"
    users = pq.read_table(path)
    pq.write_table(users.filter(pc.not_equal(users["user_id"], "v")), path)
    publish_sids(None, sids, url, state)
    with open_store(url) as store:
        held = {user: store.get_items(SPACE.fingerprint, [], 10, user).user for user in "uvw"}
    assert [user for user, record in held.items() if record is not None] == ["u", "w"]


@pytest.mark.parametrize(
    ("name", "value", "facts"),
    [
        ("counters", False, ["no counters", "context.counters"]),
        ("sid_space", "other", ["SID space other", SPACE.fingerprint]),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_nothing_is_written(
    folders, writes, name, value, facts
):
    sids, state, url = folders
    with open(f"{state}/state.json", encoding="utf-8") as file:
        known = json.load(file)
    with open(f"{state}/state.json", "w", encoding="utf-8") as file:
        json.dump({**known, name: value}, file)
    with pytest.raises(InputError) as caught:
        publish_sids(None, sids, url, state)
    for fact in ("state.json", *facts):
        assert fact in str(caught.value)
    assert writes == []
