"""Ranked lists from item ids, by both kinds of client."""

import asyncio
import dataclasses
import threading

import numpy as np
import pytest
from tiny_models import export
from tiny_models import SidRanker

from benchmarks import redis_server
from serving.client import AsyncRankerClient
from serving.client import ModelCallError
from serving.client import RankedItem
from serving.client import RankerClient
from serving.client import Ranking
from serving.client import ServedSpace
from serving.client import SidSpaceMismatchError
from serving.server import ModelServer
from serving.store import open_store
from serving.store import StoreError

SIDS = {"old": [1, 2], "older": [4, 4], "past": [2, 0]}
EMBEDDINGS = {"new": np.float32([3, 3, 0]), "old": np.float32([9, 9, 9])}
CONTEXT = {"country": "", "price": 0.0}


class Waiting:
    """An AsyncRankerClient whose calls are waited for, each in the loop of all."""

    def __init__(self, *args, **kwargs):
        self.loop = asyncio.new_event_loop()
        self.args = args, kwargs

    def __enter__(self):
        async def make():
            args, kwargs = self.args
            return AsyncRankerClient(*args, **kwargs)

        self.client = self.loop.run_until_complete(make())
        return self

    def rank_items(self, *args, **kwargs):
        return self.loop.run_until_complete(self.client.rank_items(*args, **kwargs))

    @property
    def sid_counts(self):
        return self.client.sid_counts

    def __exit__(self, *exc_info):
        self.loop.run_until_complete(self.client.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@pytest.fixture(params=[RankerClient, Waiting])
def client_class(request):
    return request.param


@pytest.fixture
def unused_port():
    return redis_server.unused_port()


def fill(store, fingerprint, sids):
    store.add_space(ServedSpace(fingerprint, levels=2, codebook_size=10))
    store.put(fingerprint, list(sids), list(sids.values()))


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/sids.sqlite") as store:
        fill(store, "space-a", SIDS)
        yield store


@pytest.fixture
def ranker(client_class, server, store):
    with client_class(server.address, store=store) as client:
        yield client


def test_rows_best_first_with_where_each_sid_is_from(ranker):
    ranking = ranker.rank_items(
        ["old", "nobody", "new", "older"],
        embeddings=EMBEDDINGS,
        history=["past"],
        context=CONTEXT,
        task="click",
    )
    # Codes add up to 3, 0, 6 and 8; the history's codes add 100 x 2.
    assert ranking == Ranking(
        items=[
            RankedItem("older", {"click": 208.0, "like": -208.0}, "store"),
            RankedItem("new", {"click": 206.0, "like": -206.0}, "encoded"),
            RankedItem("old", {"click": 203.0, "like": -203.0}, "store"),
            RankedItem("nobody", {"click": 200.0, "like": -200.0}, "unknown"),
        ],
        sid_counts={"store": 3, "encoded": 1, "unknown": 1},
        version=3,
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        ranking.items[0].source = "store"


def test_the_counts_of_all_rankings_add_up(ranker):
    for _ in range(2):
        ranker.rank_items(["old", "x"], history=["x", "y"], context=CONTEXT, task="like")
    assert ranker.sid_counts == {"store": 2, "encoded": 0, "unknown": 4}


def test_the_task_named_sorts_and_equals_stay_in_order(ranker):
    ranking = ranker.rank_items(["old", "x", "y"], context=CONTEXT, task="like")
    assert [row.item_id for row in ranking.items] == ["x", "y", "old"]


def test_a_candidate_named_twice_is_ranked_twice(ranker):
    ranking = ranker.rank_items(["old", "old"], current="old", context=CONTEXT, task="click")
    assert [row.scores["click"] for row in ranking.items] == [33.0, 33.0]
    assert ranking.sid_counts["store"] == 1


def test_current_item_and_history_are_encoded_too(ranker):
    ranking = ranker.rank_items(
        ["old"],
        embeddings=EMBEDDINGS | {"seen": np.float32([1, 0, 0])},
        current="new",
        history=["seen", "nobody"],
        context=CONTEXT,
        task="click",
    )
    assert ranking.items[0].scores["click"] == 3 + 10 * 6 + 100 * 1


def test_an_item_put_into_the_store_is_known_to_the_next_call(ranker, store):
    def source():
        (row,) = ranker.rank_items(["fresh"], context=CONTEXT, task="click").items
        return row.source, row.scores["click"]

    assert source() == ("unknown", 0.0)
    store.put("space-a", ["fresh"], [[5, 5]])
    assert source() == ("store", 10.0)


def test_without_an_encoder_nothing_is_encoded(client_class, server, store):
    with client_class(server.address, store=store, encoder=None) as ranker:
        (row,) = ranker.rank_items(
            ["new"], embeddings=EMBEDDINGS, context=CONTEXT, task="click"
        ).items
    assert row == RankedItem("new", {"click": 0.0, "like": -0.0}, "unknown")


def test_without_a_store_everything_is_encoded_or_unknown(client_class, server):
    with client_class(server.address) as ranker:
        ranking = ranker.rank_items(
            ["old", "new", "x"], embeddings=EMBEDDINGS, context=CONTEXT, task="click"
        )
    assert [(row.item_id, row.source, row.scores["click"]) for row in ranking.items] == [
        ("old", "encoded", 18.0),
        ("new", "encoded", 6.0),
        ("x", "unknown", 0.0),
    ]


def test_a_ranker_by_item_id_needs_neither_store_nor_encoder(client_class, server, tmp_path):
    with (
        open_store(f"sqlite:///{tmp_path}/absent.sqlite") as empty,
        client_class(server.address, model="by_id", store=empty, encoder="nobody") as by_id,
    ):
        ranking = by_id.rank_items(["a", "old", 123], embeddings=EMBEDDINGS, history=[7])
    assert [(row.item_id, row.scores, row.source) for row in ranking.items] == [
        ("old", {"click": 103.0}, None),
        ("123", {"click": 103.0}, None),
        ("a", {"click": 101.0}, None),
    ]
    assert ranking.sid_counts == {}


def test_context_for_each_candidate_stays_with_its_candidate(ranker):
    context = {"country": "", "price": [100.0, 1.0]}
    ranking = ranker.rank_items(["old", "older"], context=context, task="click")
    assert [(row.item_id, row.scores["click"]) for row in ranking.items] == [
        ("old", 103.0),
        ("older", 9.0),
    ]


def test_no_candidates(ranker):
    assert ranker.rank_items([]) == Ranking([], {}, version=3)


def test_encoder_and_ranker_of_two_spaces_are_refused_by_name(client_class, server, store):
    with (
        client_class(server.address, store=store, encoder="other_semantic_id") as ranker,
        pytest.raises(
            SidSpaceMismatchError,
            match=r"other_semantic_id version 7 .* space-b, .* ranker version 3 in space-a",
        ),
    ):
        ranker.rank_items(["new"], embeddings=EMBEDDINGS, context=CONTEXT, task="click")


def test_a_store_without_the_rankers_space_is_refused_by_name(client_class, server, store):
    store.drop("space-a")
    fill(store, "space-z", SIDS)
    with (
        client_class(server.address, store=store) as ranker,
        pytest.raises(
            SidSpaceMismatchError,
            match=r"ranker version 3 .* space-a, but .*sids\.sqlite: .*holds space-z",
        ),
    ):
        ranker.rank_items(["old"], context=CONTEXT, task="click")


def test_a_store_whose_sids_have_other_lengths_is_refused(client_class, server, store):
    store.drop("space-a")
    store.add_space(ServedSpace("space-a", levels=3, codebook_size=10))
    with (
        client_class(server.address, store=store) as ranker,
        pytest.raises(SidSpaceMismatchError, match=r"takes 2 codes, but .* have 3"),
    ):
        ranker.rank_items(["old"], context=CONTEXT, task="click")


def test_a_ranker_of_another_space_than_the_one_given_is_refused(client_class, server, store):
    with (
        client_class(server.address, sid_fingerprint="space-z", store=store) as ranker,
        pytest.raises(SidSpaceMismatchError, match=r"ranker version 3 .* space-a, .* space-z"),
    ):
        ranker.rank_items(["old"], context=CONTEXT, task="click")


@pytest.mark.parametrize("task", [None, "buy"])
def test_several_tasks_need_one_to_sort_by(ranker, task):
    with pytest.raises(ValueError, match=f"task is {task!r}; .* are click, like"):
        ranker.rank_items(["old"], context=CONTEXT, task=task)


def test_a_store_that_is_away_is_named(client_class, server, unused_port):
    with (
        open_store(f"redis://127.0.0.1:{unused_port}/0", timeout=0.2) as away,
        client_class(server.address, store=away) as ranker,
        pytest.raises(StoreError, match=f"127.0.0.1:{unused_port}/0: Redis did not answer"),
    ):
        ranker.rank_items(["old"], context=CONTEXT, task="click")


def test_a_server_that_is_away_is_named(client_class, store, unused_port):
    with (
        client_class(f"127.0.0.1:{unused_port}", store=store, timeout=1.0) as ranker,
        pytest.raises(ModelCallError, match=r"ranker answered (UNAVAILABLE|DEADLINE_EXCEEDED)"),
    ):
        ranker.rank_items(["old"], context=CONTEXT, task="click")


def test_a_client_follows_the_ranker_into_another_space(client_class, store, tmp_path):
    """The Semantic IDs change with the version, in one call, and none meets the other's version."""
    fill(store, "space-b", {"old": [7, 0]})
    base_path = tmp_path / "ranker"
    export(SidRanker("space-a"), base_path, 1)
    with (
        ModelServer({"ranker": base_path}, poll_seconds=0.02) as server,
        client_class(server.address, store=store) as ranker,
    ):

        def click():
            ranking = ranker.rank_items(["old"], context=CONTEXT, task="click")
            return ranking.version, ranking.items[0].scores["click"]

        assert click() == (1, 3.0)
        export(SidRanker("space-b", bonus=100.0), base_path, 2)
        seen = {click()}
        while (2, 107.0) not in seen:
            seen.add(click())
    assert seen <= {(1, 3.0), (2, 107.0)}


def test_many_calls_are_in_flight_at_once(server, store):
    async def rank_all():
        async with AsyncRankerClient(server.address, store=store) as ranker:
            calls = [
                ranker.rank_items([item], context=CONTEXT, task="click")
                for item in ["old", "older", "past", "x"] * 16
            ]
            return await asyncio.gather(*calls), await ranker.item_fields(), await ranker.space()

    rankings, item_fields, space = asyncio.run(rank_all())
    clicks = [ranking.items[0].scores["click"] for ranking in rankings]
    assert clicks == [3.0, 8.0, 2.0, 0.0] * 16
    assert item_fields == ("sid",)
    assert space == ServedSpace("space-a", levels=2, codebook_size=10)


def test_a_store_that_is_slow_is_not_waited_for_in_the_event_loop(server, store, monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(store, "get", lambda *args: let_go.wait(20))

    async def rank():
        async with AsyncRankerClient(server.address, store=store, timeout=1.0) as ranker:
            try:
                await ranker.rank_items(["old"], context=CONTEXT, task="click")
            finally:
                let_go.set()

    with pytest.raises(StoreError, match="did not answer before the call's deadline"):
        asyncio.run(rank())
