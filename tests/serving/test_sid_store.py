"""Common behaviour of both stores of Semantic IDs; Redis is a real one."""

import sqlite3
import threading

import numpy as np
import pytest
import redis

from benchmarks.redis_server import RedisServer
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import Checkpoint
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import StoredMoment
from semantic_id_ranking.serving.store import StoreError
from semantic_id_ranking.serving.store import UnknownSpaceError
from semantic_id_ranking.serving.store import UserRecord

A = SidSpace("space-a", levels=2, codebook_size=10)
B = SidSpace("space-b", levels=3, codebook_size=70_000)


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new folder/sids?.sqlite"
    server = request.getfixturevalue("redis_server")
    with redis.Redis(port=server.port) as client:
        client.flushall()
    return server.url


@pytest.fixture
def store(url):
    with open_store(url) as store:
        yield store


def test_many_are_put_and_many_are_got_in_the_order_asked(store):
    store.add_space(A)
    store.put("space-a", ["x", "y", "käse"], np.array([[1, 2], [0, 0], [9, 9]]))
    sids = store.get("space-a", ["käse", "nobody", "x", "y", "x"])
    np.testing.assert_array_equal(sids, [[9, 9], [-1, -1], [1, 2], [0, 0], [1, 2]])
    assert sids.dtype == np.int32
    assert store.get("space-a", []).shape == (0, 2)


def test_more_items_than_a_statement_has_parameters(store):
    store.add_space(B)
    item_ids = [f"item{i}" for i in range(40_000)]
    sids = np.random.default_rng(0).integers(0, B.codebook_size, (40_000, 3))
    store.put("space-b", item_ids, sids)
    np.testing.assert_array_equal(store.get("space-b", item_ids[::-1]), sids[::-1])
    assert store.count("space-b") == 40_000


def test_an_item_put_again_has_its_new_sid(store):
    store.add_space(A)
    store.put("space-a", ["x", "y"], [[1, 2], [3, 4]])
    store.put("space-a", ["x"], [[5, 6]])
    np.testing.assert_array_equal(store.get("space-a", ["x", "y"]), [[5, 6], [3, 4]])
    assert store.count("space-a") == 2


def test_two_spaces_live_side_by_side(store):
    store.add_space(A)
    store.add_space(B)
    store.put("space-a", ["x"], [[1, 2]])
    store.put("space-b", ["x", "y"], [[7, 8, 69_999], [0, 1, 2]])
    np.testing.assert_array_equal(store.get("space-a", ["x", "y"]), [[1, 2], [-1, -1]])
    np.testing.assert_array_equal(store.get("space-b", ["x"]), [[7, 8, 69_999]])
    assert store.spaces() == {"space-a": A, "space-b": B}

    store.drop("space-a")
    assert (store.spaces(), store.count("space-b")) == ({"space-b": B}, 2)
    with pytest.raises(UnknownSpaceError, match=r"space-a .*holds space-b"):
        store.get("space-a", ["x"])
    store.drop("space-a")


def test_what_one_store_wrote_another_reads(store, url):
    with open_store(url) as reader:
        assert reader.spaces() == {}
        store.add_space(A)
        store.put("space-a", ["x"], [[1, 2]], Checkpoint("batch", 1))
        np.testing.assert_array_equal(reader.get("space-a", ["x"]), [[1, 2]])
        assert reader.checkpoint("space-a") == Checkpoint("batch", 1)


def test_a_checkpoint_stays_until_the_next_one(store):
    store.add_space(A)
    assert store.checkpoint("space-a") is None
    store.put("space-a", ["x"], [[1, 2]], Checkpoint("batch", 1))
    store.put("space-a", ["live"], [[3, 4]])
    assert store.checkpoint("space-a") == Checkpoint("batch", 1)
    store.put("space-a", ["y"], [[1, 2]], Checkpoint("other", 7))
    assert store.checkpoint("space-a") == Checkpoint("other", 7)


def test_a_batch_does_not_go_on_where_another_one_has_begun(store, url):
    store.add_space(A)
    store.put("space-a", ["x"], [[1, 2]], Checkpoint("batch", 1))
    store.put("space-a", ["y"], [[3, 4]], Checkpoint("batch", 2), continues=True)
    with open_store(url) as other:
        other.put("space-a", ["x"], [[5, 6]], Checkpoint("other", 1))
    with pytest.raises(StoreError, match=r"other Semantic IDs are .* SID space space-a"):
        store.put("space-a", ["x"], [[1, 2]], Checkpoint("batch", 3), continues=True)
    np.testing.assert_array_equal(store.get("space-a", ["x", "y"]), [[5, 6], [3, 4]])
    assert store.checkpoint("space-a") == Checkpoint("other", 1)


def test_a_space_that_is_not_there_is_named(store):
    for use in (
        lambda: store.get("space-a", ["x"]),
        lambda: store.get("space-a", []),
        lambda: store.put("space-a", ["x"], [[1, 2]]),
    ):
        with pytest.raises(UnknownSpaceError, match=r"SID space space-a \(it holds none\)"):
            use()


def test_a_space_keeps_its_levels_and_codes(store):
    store.add_space(A)
    store.put("space-a", ["x"], [[1, 2]])
    store.add_space(A)
    assert store.count("space-a") == 1
    with pytest.raises(StoreError, match="2 levels of 10 codes, not 3 of 10"):
        store.add_space(SidSpace("space-a", levels=3, codebook_size=10))


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


@pytest.mark.parametrize(
    ("item_ids", "sids", "fact"),
    [
        (["x"], [[1, 2, 3]], r"shape \(1, 3\); SID space space-a wants \[N, 2\]"),
        (["x", "y"], [[1, 2], [3, 10]], r"\[3, 10\] at row 1 .* 0 \.\. 9"),
        (["x"], [[-1, -1]], r"\[-1, -1\] at row 0"),
        (["x"], [[0.5, 1.0]], "float64; integers"),
        (["x", "y"], [[1, 2]], "1 Semantic IDs for 2 items"),
    ],
)
def test_what_does_not_fit_is_not_put(store, item_ids, sids, fact):
    store.add_space(A)
    with pytest.raises(ValueError, match=fact):
        store.put("space-a", item_ids, sids, Checkpoint("batch", 1))
    assert (store.count("space-a"), store.checkpoint("space-a")) == (0, None)


def test_threads_share_a_store(store):
    store.add_space(A)
    wrong = []

    def use(number):
        for i in range(50):
            store.put("space-a", [f"{number}-{i}"], [[number, i % 10]])
            if store.get("space-a", [f"{number}-{i}"]).tolist() != [[number, i % 10]]:
                wrong.append((number, i))

    threads = [threading.Thread(target=use, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, store.count("space-a")) == ([], 200)


def test_a_sid_takes_two_bytes_a_level_and_four_beyond_65536_codes(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/s.sqlite") as store:
        for fingerprint, codes in (("small", 65_536), ("large", 65_537)):
            store.add_space(SidSpace(fingerprint, levels=2, codebook_size=codes))
            store.put(fingerprint, [fingerprint], [[1, codes - 1]])
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        values = dict(connection.execute("SELECT item_id, codes FROM sid"))
    assert values == {"small": b"\x01\x00\xff\xff", "large": b"\x01\x00\x00\x00\x00\x00\x01\x00"}


def test_a_value_of_another_length_is_refused(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/s.sqlite") as store:
        store.add_space(A)
        store.put("space-a", ["x"], [[1, 2]])
        with sqlite3.connect(tmp_path / "s.sqlite") as connection:
            connection.execute("UPDATE sid SET codes = x'0102'")
        with pytest.raises(StoreError, match=r"s\.sqlite: a value of 2 bytes .* takes 4"):
            store.get("space-a", ["x"])


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "s.sqlite").write_text("not a database at all" * 100)
    with (
        open_store(f"sqlite:///{tmp_path}/s.sqlite") as store,
        pytest.raises(StoreError, match=r"s\.sqlite: file is not a database"),
    ):
        store.spaces()


@pytest.mark.parametrize(
    "url", ["", "sids.sqlite", "sqlite://x", "sqlite:///", "mysql://u:secret@host/0", "redis://"]
)
def test_a_url_of_another_form_is_refused(url):
    with pytest.raises(ValueError, match="names no store; write sqlite:///path") as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_ids_are_the_same_text_wherever_they_are_taken(store):
    store.add_space(A)
    for number, one in enumerate([7, b"7", "7", np.int64(7), np.str_("7")]):
        store.put("space-a", [one, "x"], [[1, number], [0, 0]])
        for asked in (7, b"7", "7", np.int64(7)):
            assert store.get("space-a", [asked, "x"]).tolist() == [[1, number], [0, 0]]
        store.put_counters("space-a", [one], [[number]])
        store.put_users("space-a", {one: UserRecord.nothing(2, number + 1)})
        found = store.get_items("space-a", [one], 1, user=b"7")
        assert found.counters.tolist() == [[number]]
        assert len(found.user.counters) == number + 1
    assert store.count("space-a") == 2
    assert store.count_users("space-a") == 1


@pytest.mark.parametrize("one", [None, 1.5, True, b"\xff", "\ud800"])
def test_what_is_no_id_is_refused_by_every_method(store, one):
    store.add_space(A)
    record = UserRecord.nothing(2, 1)
    for call, argument in (
        (lambda: store.put("space-a", ["x", one], [[1, 2], [1, 2]]), "item_ids"),
        (lambda: store.get("space-a", ["x", one]), "item_ids"),
        (lambda: store.put_counters("space-a", ["x", one], [[1], [2]]), "item_ids"),
        (lambda: store.get_items("space-a", ["x", one], 0), "item_ids"),
        (lambda: store.put_users("space-a", {"x": record, one: record}), "users"),
    ):
        with pytest.raises(ValueError, match=f"^{argument}: item id "):
            call()
    with pytest.raises(ValueError, match=r"item_ids is '7'; a list of ids is wanted"):
        store.get("space-a", "7")
    assert store.count("space-a") == 0
