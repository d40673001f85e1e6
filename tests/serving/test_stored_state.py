"""Counters and users in both stores; Redis is a real one."""

import sqlite3
import threading

import numpy as np
import pytest
import redis

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import Checkpoint
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import StoredMoment
from semantic_id_ranking.serving.store import StoreError
from semantic_id_ranking.serving.store import UnknownSpaceError
from semantic_id_ranking.serving.store import UserRecord

A = SidSpace("space-a", levels=2, codebook_size=10)
B = SidSpace("space-b", levels=3, codebook_size=70_000)


@pytest.fixture
def store(url):
    with open_store(url) as store:
        yield store


def test_counters_are_read_with_the_sids_and_are_nan_where_there_are_none(store):
    store.add_space(A)
    assert np.isnan(store.get_items("space-a", ["x"], 2).counters).all()
    store.put("space-a", ["x", "y"], [[1, 2], [3, 4]])
    store.put_counters("space-a", ["y", "new"], [[0.5, 7], [16_777_216, np.nan]])
    found = store.get_items("space-a", ["new", "x", "y", "new", "nobody"], 2)
    np.testing.assert_array_equal(found.sids, [[-1, -1], [1, 2], [3, 4], [-1, -1], [-1, -1]])
    nan = np.nan
    np.testing.assert_array_equal(
        found.counters, [[2**24, nan], [nan, nan], [0.5, 7], [2**24, nan], [nan, nan]]
    )
    assert (found.sids.dtype, found.counters.dtype) == (np.int32, np.float32)
    store.put_counters("space-a", ["y"], [[1, 8]])
    np.testing.assert_array_equal(store.get_items("space-a", ["y"], 2).counters, [[1, 8]])
    assert store.get_items("space-a", [], 2).counters.shape == (0, 2)


def test_counters_of_a_ranker_that_reads_another_number_are_none(store):
    store.add_space(A)
    store.put_counters("space-a", ["x", "y"], [[1, 2], [3, 4]])
    store.put_counters("space-a", ["y"], [[5, 6, 7]])
    np.testing.assert_array_equal(
        store.get_items("space-a", ["x", "y"], 3).counters, [[np.nan] * 3, [5, 6, 7]]
    )


def test_counters_go_with_their_space_and_with_no_other(store):
    for space in (A, B):
        store.add_space(space)
        store.put_counters(space.fingerprint, ["x"], [[1, 2]])
    store.drop("space-a")
    store.add_space(A)
    assert np.isnan(store.get_items("space-a", ["x"], 2).counters).all()
    np.testing.assert_array_equal(store.get_items("space-b", ["x"], 2).counters, [[1, 2]])


@pytest.mark.parametrize(
    ("item_ids", "counters", "fact"),
    [
        (["x"], [1, 2], r"shape \(2,\); \[N, C\]"),
        (["x"], [["many"]], "no array of numbers"),
        (["x", "y"], [[1, 2]], "1 rows of counters for 2 items"),
    ],
)
def test_counters_that_do_not_fit_are_not_put(store, item_ids, counters, fact):
    store.add_space(A)
    with pytest.raises(ValueError, match=fact):
        store.put_counters("space-a", item_ids, counters)
    with pytest.raises(UnknownSpaceError, match="space-b"):
        store.put_counters("space-b", ["x"], [[1, 2]])
    with pytest.raises(UnknownSpaceError, match="space-b"):
        store.get_items("space-b", ["x"], 2)


def record(items, clicks):
    """A record with a history of some items, and so many clicks."""
    return UserRecord(
        items,
        np.array([[1, 2]] * len(items), np.int32).reshape(-1, 2),
        np.array([[np.nan]] * len(items), np.float32).reshape(-1, 1),
        np.array([9, 9, clicks]),
        np.array([[1, 2], [3, 0]], np.int32),
        np.array([[5, 5, clicks], [2**40, 0, 0]]),
    )


def test_a_user_is_read_with_the_items_and_the_moment(store):
    store.add_space(A)
    store.put("space-a", ["x"], [[1, 2]], Checkpoint("release", 1), counters=[[3, 4]])
    users = {"käse": record(["käse", "x\0", ""], 1), "nothing": record([], 2)}
    store.put_users("space-a", users, Checkpoint("release", 3), continues=True)
    assert store.get_items("space-a", ["x"], 2, "käse").moment is None
    store.put_moment("space-a", StoredMoment("2026-01-02T00:00:00+00:00", ("click", "like")))
    for user, expected in users.items():
        found = store.get_items("space-a", ["x"], 2, user)
        assert (found.sids.tolist(), found.counters.tolist()) == ([[1, 2]], [[3, 4]])
        assert found.user.item_ids == expected.item_ids
        for name in ("sids", "labels", "counters", "codes", "by_codes"):
            np.testing.assert_array_equal(getattr(found.user, name), getattr(expected, name))
        assert found.moment.tasks == ("click", "like")
    assert store.get_items("space-a", ["x"], 2, "nobody").user is None
    assert store.get_items("space-a", ["x"], 2).user is None
    assert (store.count_users("space-a"), store.checkpoint("space-a").rows) == (2, 3)
    store.drop("space-a")
    store.add_space(A)
    found = store.get_items("space-a", ["x"], 2, "käse")
    assert (found.user, found.moment, store.count_users("space-a")) == (None, None, 0)


def test_users_of_a_batch_do_not_go_on_where_another_one_has_begun(store):
    store.add_space(A)
    store.put("space-a", ["x"], [[1, 2]], Checkpoint("other", 1))
    with pytest.raises(StoreError, match="other Semantic IDs"):
        store.put_users("space-a", {"u": record([], 1)}, Checkpoint("release", 2), continues=True)
    assert store.count_users("space-a") == 0
    with pytest.raises(UnknownSpaceError, match="space-b"):
        store.put_users("space-b", {"u": record([], 1)})


def test_sids_and_counters_that_a_reader_sees_are_of_one_transaction(store, url):
    store.add_space(A)
    items = [f"item{number}" for number in range(200)]
    end = threading.Event()

    def write():
        with open_store(url) as writer:
            for release in range(1, 60):
                number = release % 10
                writer.put(
                    "space-a",
                    items,
                    np.full((len(items), 2), number),
                    Checkpoint("release", release),
                    counters=np.full((len(items), 1), number),
                )
        end.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = set()
    while not end.is_set():
        found = store.get_items("space-a", items, 1)
        first = found.sids[0, 0].item()
        assert (found.sids == first).all()
        assert (found.counters == first).all() or first == -1
        seen.add(first)
    thread.join()
    assert len(seen) > 1


def test_a_damaged_record_is_refused(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/s.sqlite") as store:
        store.add_space(A)
        store.put_users("space-a", {"u": record(["x"], 1)})
        for damaged in ("x'0102'", "record || x'00'"):
            with sqlite3.connect(tmp_path / "s.sqlite") as connection:
                connection.execute(f"UPDATE user SET record = {damaged}")
            with pytest.raises(StoreError, match=r"s\.sqlite: .*"):
                store.get_items("space-a", [], 2, "u")
            store.put_users("space-a", {"u": record(["x"], 1)})


@pytest.mark.redis
def test_redis_is_asked_once_for_sids_and_counters(redis_server):
    with open_store(redis_server.url) as store, redis.Redis(port=redis_server.port) as client:
        client.flushall()
        store.add_space(A)
        store.put("space-a", ["x"], [[1, 2]])
        store.put_counters("space-a", ["x"], [[3, 4]])
        sent = []
        pool = store._redis.connection_pool
        connection = pool.get_connection()
        send, connection.send_packed_command = connection.send_packed_command, None

        def counted(command, *arguments, **options):
            sent.append(command)
            return send(command, *arguments, **options)

        connection.send_packed_command = counted
        pool.release(connection)
        found = store.get_items("space-a", ["x"], 2)
        assert (found.sids.tolist(), found.counters.tolist()) == ([[1, 2]], [[3.0, 4.0]])
        assert len(sent) == 1


def test_users_of_an_earlier_try_are_removed(store):
    for space in (A, B):
        store.add_space(space)
        store.put_users(space.fingerprint, {user: record([], 1) for user in ("u", "käse", "x")})
    store.keep_users("space-a", {"u", "nobody"})
    assert store.get_items("space-a", [], 2, "u").user is not None
    assert store.get_items("space-a", [], 2, "käse").user is None
    assert (store.count_users("space-a"), store.count_users("space-b")) == (1, 3)
    store.keep_users("space-b", set())
    assert store.count_users("space-b") == 0
