"""RankerClient against served rankers."""

import threading

import numpy as np
import pytest

from semantic_id_ranking.serving.client import MissingInputError
from semantic_id_ranking.serving.client import ModelCallError
from semantic_id_ranking.serving.client import open_channel
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.client import ServedSpaceError
from semantic_id_ranking.serving.client import SidSpace
from semantic_id_ranking.serving.server import ModelServer
from tests.serving.tiny_models import export
from tests.serving.tiny_models import ItemIdRanker
from tests.serving.tiny_models import SidRanker

CONTEXT = {"country": "de", "price": [0.5, 1.5, 2.5]}
CANDIDATE = {"sid": [[1, 2], [3, 4], [-1, -1]]}


@pytest.fixture
def ranker(server):
    with RankerClient(server.address) as client:
        yield client


@pytest.fixture
def by_id(server):
    with RankerClient(server.address, model="by_id") as client:
        yield client


def test_scores_of_each_task(ranker):
    scores = ranker.rank(
        candidate={"sid": np.array(CANDIDATE["sid"], np.int32)},
        current={"sid": [5, 6]},
        history={"sid": [[1, 0], [0, 1]]},
        context=CONTEXT,
    )
    # 10 x (5 + 6) + 100 x (1 + 1) + 2 letters = 312, plus candidate codes and price.
    np.testing.assert_array_equal(scores["click"], [315.5, 320.5, 314.5])
    np.testing.assert_array_equal(scores["like"], [-315.5, -320.5, -314.5])
    assert scores["click"].dtype == np.float32


def test_one_candidate_no_current_item_no_history_one_price(ranker):
    scores = ranker.rank({"sid": [[3, 4]]}, context={"country": b"at", "price": 1})
    np.testing.assert_array_equal(scores["click"], [10.0])
    same = ranker.rank(
        {"sid": [[3, 4]]}, history={"sid": []}, context={"country": ["at"], "price": [1]}
    )
    np.testing.assert_array_equal(same["click"], [10.0])


def test_a_ranker_by_item_id(by_id):
    assert by_id.item_fields() == ("item_id",)
    scores = by_id.rank(
        {"item_id": ["a", "abc", 12]}, current={"item_id": "abcd"}, history={"item_id": ["x", "y"]}
    )
    np.testing.assert_array_equal(scores["click"], [241.0, 243.0, 242.0])
    np.testing.assert_array_equal(by_id.rank({"item_id": ["ü"]})["click"], [2.0])  # bytes


def test_one_call_fits_both_kinds_of_ranker(ranker, by_id):
    call = {
        "candidate": {"sid": [[1, 1]], "item_id": ["a"]},
        "history": {"sid": [[0, 0]], "item_id": ["abc"]},
        "context": {"country": "", "price": 0.0, "hour": 3},
    }
    np.testing.assert_array_equal(ranker.rank(**call)["click"], [2.0])
    np.testing.assert_array_equal(by_id.rank(**call)["click"], [101.0])


def test_space_is_that_of_the_served_model(ranker):
    assert ranker.space() == SidSpace(fingerprint="space-a", levels=2, codebook_size=10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"candidate": {"item_id": ["a"]}},
            "the ranker sees items by sid, but candidate holds item_id; missing: sid",
        ),
        (
            {"current": {}},
            "the ranker sees items by sid, but current holds nothing; missing: sid",
        ),
        (
            {"context": {"country": "de"}},
            "the ranker asks for context columns country, price, but context holds country; "
            "missing: price (float32)",
        ),
    ],
)
def test_what_is_missing_is_named(ranker, change, message):
    with pytest.raises(MissingInputError) as caught:
        ranker.rank(**{"candidate": CANDIDATE, "context": CONTEXT} | change)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"candidate": {"sid": [[1, 2], [3, 10], [1, 1]]}},
            "candidate sid [3, 10] at row 1 is not of SID space space-a; codes are 0 .. 9, "
            "or -1 for no item",
        ),
        (
            {"candidate": {"sid": [[1, 2], [-2, 3], [1, 1]]}},
            "candidate sid [-2, 3] at row 1 is not of SID space space-a; codes are 0 .. 9, "
            "or -1 for no item",
        ),
        (
            {"candidate": {"sid": [[1, 2, 3]]}},
            "candidate sid has shape (1, 3); Semantic IDs of 2 codes are wanted",
        ),
        ({"candidate": {"sid": [[1.5, 2]]}}, "candidate sid is float64; integers are wanted"),
        (
            {"current": {"sid": [[1, 2], [3, 4]]}},
            "current sid holds 2 items; one is wanted",
        ),
        (
            {"context": CONTEXT | {"price": [1, 2]}},
            "context price holds 2 values; 1 or one for each of the 3 candidates is wanted",
        ),
        (
            {"context": CONTEXT | {"price": "cheap"}},
            "context price is <U5; float32 is wanted",
        ),
        (
            {"context": CONTEXT | {"country": ["de", 49, "at"]}},
            "context country at row 1 is 49; str or bytes is wanted",
        ),
    ],
)
def test_what_does_not_fit_is_told_before_it_is_sent(ranker, change, message):
    with pytest.raises(ValueError) as caught:
        ranker.rank(**{"candidate": CANDIDATE, "context": CONTEXT} | change)
    assert str(caught.value) == message


def test_sids_of_another_space_are_refused_by_name(server):
    with (
        RankerClient(server.address, sid_fingerprint="space-z") as ranker,
        pytest.raises(ServedSpaceError, match=r"ranker version 3 .* space-a, .* space-z"),
    ):
        ranker.rank(CANDIDATE, context=CONTEXT)


def test_a_ranker_by_item_id_may_be_of_any_space(server):
    with RankerClient(server.address, model="by_id", sid_fingerprint="space-z") as ranker:
        np.testing.assert_array_equal(ranker.rank({"item_id": ["a"]})["click"], [1.0])


def test_an_unknown_model_is_named(server):
    with RankerClient(server.address, model="nobody") as ranker:
        with pytest.raises(ModelCallError) as caught:
            ranker.rank(CANDIDATE, context=CONTEXT)
        assert str(caught.value) == (
            "model nobody answered NOT_FOUND: Servable not found for request: Latest(nobody)"
        )
        assert caught.value.code.name == "NOT_FOUND"


def test_clients_share_a_channel_that_stays_open(server):
    with open_channel(server.address) as channel:
        with RankerClient(channel, model="by_id") as one:
            one.rank({"item_id": ["a"]})
        np.testing.assert_array_equal(
            RankerClient(channel, model="by_id").rank({"item_id": ["ab"]})["click"], [2.0]
        )


def served(client, version):
    """Waits until a version answers."""
    for _ in range(200):
        client.rank({"sid": [[1, 2]]}, context={"country": "", "price": 0})
        if client._steps._version.number == version:
            return
        threading.Event().wait(0.02)
    raise AssertionError(f"version {version} never answered")


def test_a_new_version_is_read_before_its_answers_are_taken(tmp_path):
    base_path = tmp_path / "ranker"
    export(SidRanker("space-a"), base_path, 1)
    with (
        ModelServer({"ranker": base_path}, poll_seconds=0.02) as server,
        RankerClient(server.address) as ranker,
    ):
        call = {"candidate": {"sid": [[1, 2]]}, "context": {"country": "", "price": 0}}
        np.testing.assert_array_equal(ranker.rank(**call)["click"], [3.0])

        export(SidRanker("space-a", bonus=7.0), base_path, 2)
        served(ranker, 2)
        np.testing.assert_array_equal(ranker.rank(**call)["click"], [10.0])

        # The next one has learnt another space: from the first moment on, no score comes of it.
        export(SidRanker("space-b", bonus=100.0), base_path, 3)
        with pytest.raises(ServedSpaceError, match=r"version 3 .* space-b, .* space-a"):
            for _ in range(200):
                np.testing.assert_array_equal(ranker.rank(**call)["click"], [10.0])
                threading.Event().wait(0.02)
        with pytest.raises(ServedSpaceError):
            ranker.rank(**call)

        # Nothing of SIDs passes to this one, but it wants other inputs than the last one read.
        export(ItemIdRanker("space-b"), base_path, 4)
        both = call | {"candidate": {"sid": [[1, 2]], "item_id": ["abc"]}}
        for _ in range(200):
            try:
                scores = ranker.rank(**both)
                break
            except ServedSpaceError:
                threading.Event().wait(0.02)
        np.testing.assert_array_equal(scores["click"], [3.0])
        with pytest.raises(MissingInputError, match="missing: item_id"):
            ranker.rank(**call)
