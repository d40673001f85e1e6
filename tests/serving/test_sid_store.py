"""Common behaviour of both stores of Semantic IDs; Redis is a real one."""

import sqlite3
import threading

import numpy as np
import pytest

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import Checkpoint
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import StoreError
from semantic_id_ranking.serving.store import UnknownSpaceError
from semantic_id_ranking.serving.store import UserRecord

A = SidSpace("space-a", levels=2, codebook_size=10)
B = SidSpace("space-b", levels=3, codebook_size=70_000)


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
