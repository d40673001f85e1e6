"""The best of many candidates, sorted by the server, by both kinds of client."""

import asyncio

import pytest

from semantic_id_ranking.serving.client import AsyncRankerClient
from semantic_id_ranking.serving.client import ModelCallError
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.client import SidSpace
from semantic_id_ranking.serving.store import open_store

# Codes add up to 3, 8, 0 and 8: click is that, like the opposite.
CALL = {
    "candidate": {"sid": [[1, 2], [4, 4], [0, 0], [3, 5]]},
    "context": {"country": "", "price": 0.0},
}


@pytest.fixture
def ranker(server):
    with RankerClient(server.address) as client:
        yield client


@pytest.mark.parametrize(
    ("top_k", "task", "index"),
    [
        (2, "click", [1, 3]),
        (3, "click", [1, 3, 0]),
        (1, "like", [2]),
        (9, "like", [2, 0, 1, 3]),
        (2**40, "click", [1, 3, 0, 2]),
        (2, {"click": 0.5, "like": 1.0}, [2, 0]),
        (4, {"click": 2.0, "like": 1.0}, [1, 3, 0, 2]),
    ],
)
def test_the_best_come_first_and_equals_in_order(ranker, top_k, task, index):
    best = ranker.rank_top_k(**CALL, task=task, top_k=top_k)
    clicks = [[3.0, 8.0, 0.0, 8.0][position] for position in index]
    assert best.index.tolist() == index
    assert {name: scores.tolist() for name, scores in best.scores.items()} == {
        "click": clicks,
        "like": [-click for click in clicks],
    }


def test_asyncio(server):
    async def ask():
        async with AsyncRankerClient(server.address) as client:
            return await client.rank_top_k(**CALL, task="like", top_k=1)

    assert asyncio.run(ask()).index.tolist() == [2]


def test_items_by_id(server, tmp_path):
    with open_store(f"sqlite:///{tmp_path}/sids.sqlite") as store:
        store.add_space(SidSpace("space-a", levels=2, codebook_size=10))
        store.put("space-a", ["a", "b", "c"], [[1, 2], [4, 4], [3, 5]])
        with RankerClient(server.address, store=store) as ranker:
            arguments = {"context": CALL["context"], "task": {"click": 1.0}}
            items = ["a", "b", "nobody", "c"]
            every = ranker.rank_items(items, **arguments)
            best = ranker.rank_items(items, **arguments, top_k=2)
    assert [row.item_id for row in every.items] == ["b", "c", "a", "nobody"]
    assert best.items == every.items[:2]
    assert best.sid_counts == every.sid_counts == {"store": 3, "encoded": 0, "unknown": 1}


@pytest.mark.parametrize(
    ("top_k", "task", "message"),
    [
        (0, "click", "top_k is 0; an integer of 1 or more is wanted"),
        (1, None, "task is None; the ranker's tasks to sort by are click, like"),
        (1, {"buy": 1.0}, "task is {'buy': 1.0}; the ranker's tasks to sort by are click, like"),
        (1, {}, "task is {}; the ranker's tasks to sort by are click, like"),
    ],
)
def test_what_does_not_fit_is_refused(ranker, top_k, task, message):
    with pytest.raises(ValueError) as caught:
        ranker.rank_top_k(**CALL, task=task, top_k=top_k)
    assert str(caught.value) == message


def test_a_ranker_without_the_signature_says_so(server):
    with (
        RankerClient(server.address, model="by_id") as ranker,
        pytest.raises(ModelCallError) as caught,
    ):
        ranker.rank_top_k({"item_id": ["a"]}, top_k=1)
    assert caught.value.code.name == "FAILED_PRECONDITION"
    assert '"rank_top_k" not found' in str(caught.value)
