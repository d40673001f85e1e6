"""Ranked lists from item ids, by both kinds of client."""

import asyncio
import dataclasses

import numpy as np
import pytest

from semantic_id_ranking.serving.client import AsyncRankerClient
from semantic_id_ranking.serving.client import RankedItem
from semantic_id_ranking.serving.client import Ranking
from semantic_id_ranking.serving.client import SidSpace
from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.store import open_store
from tests.serving.ranking_cases import CONTEXT
from tests.serving.ranking_cases import EMBEDDINGS
from tests.serving.ranking_cases import fill
from tests.serving.tiny_models import export
from tests.serving.tiny_models import SidRanker


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


def test_ids_of_any_type_are_the_same_text(ranker, store):
    store.put("space-a", ["7"], [[1, 1]])
    embeddings = {8: EMBEDDINGS["new"], b"new": EMBEDDINGS["new"]}
    ranking = ranker.rank_items(
        [7, np.int64(7), b"7", np.str_("7"), np.bytes_(b"7"), 8, "8", "new"],
        embeddings=embeddings,
        context=CONTEXT,
        task="click",
    )
    assert sorted((row.item_id, row.source) for row in ranking.items) == (
        [("7", "store")] * 5 + [("8", "encoded")] * 2 + [("new", "encoded")]
    )


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


def test_an_item_that_the_encoder_has_no_code_for_is_unknown(ranker):
    embeddings = {"odd": np.float32([-1, -1, 0]), "new": EMBEDDINGS["new"]}
    ranking = ranker.rank_items(
        ["new", "odd"], embeddings=embeddings, context=CONTEXT, task="click"
    )
    assert [(row.item_id, row.source, row.scores["click"]) for row in ranking.items] == [
        ("new", "encoded", 6.0),
        ("odd", "unknown", 0.0),
    ]


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


def test_a_client_follows_the_ranker_into_another_space(client_class, store, tmp_path):
    """The Semantic IDs change with the version, in one call, and no two are mixed."""
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
    assert space == SidSpace("space-a", levels=2, codebook_size=10)
