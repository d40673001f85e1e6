"""Refused rankings: mixed SID spaces, unknown tasks, absent stores and servers."""

import asyncio
import re
import threading

import pytest

from benchmarks import redis_server
from semantic_id_ranking.serving.client import AsyncRankerClient
from semantic_id_ranking.serving.client import ModelCallError
from semantic_id_ranking.serving.client import ServedSpaceError
from semantic_id_ranking.serving.client import SidSpace
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import StoreError
from tests.serving.ranking_cases import CONTEXT
from tests.serving.ranking_cases import EMBEDDINGS
from tests.serving.ranking_cases import fill
from tests.serving.ranking_cases import SIDS


@pytest.fixture
def unused_port():
    return redis_server.unused_port()


def test_encoder_and_ranker_of_two_spaces_are_refused_by_name(client_class, server, store):
    with (
        client_class(server.address, store=store, encoder="other_semantic_id") as ranker,
        pytest.raises(
            ServedSpaceError,
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
            ServedSpaceError,
            match=r"ranker version 3 .* space-a, but .*sids\.sqlite: .*holds space-z",
        ),
    ):
        ranker.rank_items(["old"], context=CONTEXT, task="click")


def test_a_store_whose_sids_have_other_lengths_is_refused(client_class, server, store):
    store.drop("space-a")
    store.add_space(SidSpace("space-a", levels=3, codebook_size=10))
    with (
        client_class(server.address, store=store) as ranker,
        pytest.raises(ServedSpaceError, match=r"takes 2 codes, but .* have 3"),
    ):
        ranker.rank_items(["old"], context=CONTEXT, task="click")


def test_a_ranker_of_another_space_than_the_one_given_is_refused(client_class, server, store):
    with (
        client_class(server.address, sid_fingerprint="space-z", store=store) as ranker,
        pytest.raises(ServedSpaceError, match=r"ranker version 3 .* space-a, .* space-z"),
    ):
        ranker.rank_items(["old"], context=CONTEXT, task="click")


@pytest.mark.parametrize("task", [None, "buy"])
def test_several_tasks_need_one_to_sort_by(ranker, task):
    with pytest.raises(ValueError, match=f"task is {task!r}; .* are click, like"):
        ranker.rank_items(["old"], context=CONTEXT, task=task)


@pytest.mark.parametrize("item", [1.0, None, True, b"\xff", ("a",)])
def test_what_is_no_id_is_refused_by_its_value(ranker, item):
    for arguments in (
        {"item_ids": ["old", item]},
        {"item_ids": ["old"], "history": [item]},
        {"item_ids": ["old"], "embeddings": {item: [1.0, 2.0]}},
    ):
        with pytest.raises(ValueError, match=re.escape(f"item id {item!r}: expected")):
            ranker.rank_items(**arguments, context=CONTEXT, task="click")


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
