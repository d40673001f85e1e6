"""Ranked lists from item ids."""

import dataclasses

import numpy as np
import pytest

from serving.client import EncoderClient
from serving.client import RankerClient
from serving.client import SidSpaceMismatchError
from serving.ranking import rank_items
from serving.ranking import RankedItem

SIDS = {"old": [1, 2], "older": [4, 4], "past": [2, 0]}
EMBEDDINGS = {"new": np.float32([3, 3, 0]), "old": np.float32([9, 9, 9])}
CONTEXT = {"country": "", "price": 0.0}


@pytest.fixture
def ranker(server):
    with RankerClient(server.address) as client:
        yield client


@pytest.fixture
def encoder(server):
    with EncoderClient(server.address) as client:
        yield client


def test_rows_best_first_with_where_each_sid_is_from(ranker, encoder):
    rows = rank_items(
        ranker,
        ["old", "nobody", "new", "older"],
        SIDS,
        embeddings=EMBEDDINGS,
        encoder=encoder,
        titles={"new": "The New One", "older": "The Elder"},
        history=["past"],
        context=CONTEXT,
        task="click",
    )
    # Codes add up to 3, 0, 6 and 8; the history's codes add 100 x 2.
    assert rows == [
        RankedItem("older", "The Elder", {"click": 208.0, "like": -208.0}, "store"),
        RankedItem("new", "The New One", {"click": 206.0, "like": -206.0}, "encoded"),
        RankedItem("old", None, {"click": 203.0, "like": -203.0}, "store"),
        RankedItem("nobody", None, {"click": 200.0, "like": -200.0}, "unknown"),
    ]
    with pytest.raises(dataclasses.FrozenInstanceError):
        rows[0].source = "store"


def test_the_task_named_sorts_and_equals_stay_in_order(ranker):
    rows = rank_items(ranker, ["old", "x", "y"], SIDS, context=CONTEXT, task="like")
    assert [row.item_id for row in rows] == ["x", "y", "old"]


def test_current_item_and_history_are_encoded_too(ranker, encoder):
    rows = rank_items(
        ranker,
        ["old"],
        SIDS,
        embeddings=EMBEDDINGS | {"seen": np.float32([1, 0, 0])},
        encoder=encoder,
        current="new",
        history=["seen", "nobody"],
        context=CONTEXT,
        task="click",
    )
    assert rows[0].scores["click"] == 3 + 10 * 6 + 100 * 1


def test_without_an_encoder_nothing_is_encoded(ranker):
    (row,) = rank_items(ranker, ["new"], SIDS, embeddings=EMBEDDINGS, context=CONTEXT, task="click")
    assert row == RankedItem("new", None, {"click": 0.0, "like": -0.0}, "unknown")


def test_a_ranker_by_item_id_needs_neither_sids_nor_encoder(server):
    with (
        RankerClient(server.address, model="by_id") as by_id,
        EncoderClient("127.0.0.1:1", timeout=0.1) as unreachable,
    ):
        rows = rank_items(
            by_id, ["a", "old", "new"], SIDS, embeddings=EMBEDDINGS, encoder=unreachable
        )
    assert [(row.item_id, row.scores, row.source) for row in rows] == [
        ("old", {"click": 3.0}, "store"),
        ("new", {"click": 3.0}, "unknown"),
        ("a", {"click": 1.0}, "unknown"),
    ]


def test_context_for_each_candidate_stays_with_its_candidate(ranker):
    rows = rank_items(
        ranker,
        ["old", "older"],
        SIDS,
        context={"country": "", "price": [100.0, 1.0]},
        task="click",
    )
    assert [(row.item_id, row.scores["click"]) for row in rows] == [("old", 103.0), ("older", 9.0)]


def test_no_candidates(ranker):
    assert rank_items(ranker, [], SIDS) == []


def test_encoder_and_ranker_of_two_spaces_are_refused_by_name(ranker, server):
    with (
        EncoderClient(server.address, model="other_semantic_id") as other,
        pytest.raises(
            SidSpaceMismatchError, match=r"other_semantic_id .* space-b, .* ranker in space-a"
        ),
    ):
        rank_items(ranker, ["new"], SIDS, embeddings=EMBEDDINGS, encoder=other, context=CONTEXT)


@pytest.mark.parametrize("task", [None, "buy"])
def test_several_tasks_need_one_to_sort_by(ranker, task):
    with pytest.raises(ValueError, match=f"task is {task!r}; .* are click, like"):
        rank_items(ranker, ["old"], SIDS, context=CONTEXT, task=task)
