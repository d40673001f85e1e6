"""Arguments that clients refuse by name, before anything is sent."""

import numpy as np
import pytest

from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import MissingInputError
from semantic_id_ranking.serving.client import RankerClient
from tests.serving.ranking_cases import CONTEXT
from tests.serving.switched_ranker import serve
from tests.serving.switched_ranker import Version

CANDIDATE = {"sid": [[1, 2], [3, 4]]}


@pytest.fixture(scope="module")
def with_column():
    """Client of a ranker with the integer column `hour`."""
    with serve(Version(1, columns=("hour",))) as served, RankerClient(served.address) as client:
        yield client


@pytest.fixture
def by_id(server):
    with RankerClient(server.address, model="by_id") as client:
        yield client


def refusal(function, *arguments, **named):
    with pytest.raises(ValueError) as caught:
        function(*arguments, **named)
    return str(caught.value)


@pytest.mark.parametrize("top_k", [1.5, 2.0, 0, -1, True, "3"])
def test_a_top_k_that_is_no_number_of_candidates(ranker, with_column, top_k):
    expected = f"top_k is {top_k!r}; an integer of 1 or more is wanted"
    arguments = {"context": CONTEXT, "task": "click", "top_k": top_k}
    assert refusal(ranker.rank_items, ["old"], **arguments) == expected
    assert refusal(ranker.rank_items, [], top_k=top_k) == expected
    assert refusal(with_column.rank_top_k, CANDIDATE, top_k=top_k) == expected


def test_a_top_k_of_numpy_is_taken(ranker):
    ranking = ranker.rank_items(["old", "older"], context=CONTEXT, task="click", top_k=np.int64(1))
    assert [row.item_id for row in ranking.items] == ["older"]


@pytest.mark.parametrize("value", ["old", b"old", 7])
def test_one_id_where_a_list_is_expected(ranker, by_id, value):
    arguments = {"context": CONTEXT, "task": "click"}
    list_wanted = f"is {value!r}; a list of ids is wanted"
    assert refusal(ranker.rank_items, value, **arguments) == f"item_ids {list_wanted}"
    assert (
        refusal(ranker.rank_items, ["old"], history=value, **arguments) == f"history {list_wanted}"
    )
    assert refusal(by_id.rank, {"item_id": value}) == f"candidate item_id {list_wanted}"
    assert (
        refusal(by_id.rank, {"item_id": ["a"]}, history={"item_id": value})
        == f"history item_id {list_wanted}"
    )


def test_a_list_where_one_id_is_expected(ranker):
    message = refusal(ranker.rank_items, ["old"], current=["old"], context=CONTEXT, task="click")
    assert message == "current: item id ['old']: expected a string, bytes or an integer"


def test_ids_are_the_same_text_in_every_method(by_id):
    ids = ["12", b"12", 12, np.int64(12), np.str_("12"), np.bytes_(b"12")]
    for one in ids:
        scores = by_id.rank(
            {"item_id": [one, "a"]}, current={"item_id": one}, history={"item_id": [one]}
        )
        assert scores["click"].tolist() == [2 + 20 + 100, 1 + 20 + 100]
    assert by_id.rank({"item_id": np.array([7, 12])})["click"].tolist() == [1.0, 2.0]
    assert by_id.rank({"item_id": ["ü", "a"]})["click"].tolist() == [2.0, 1.0]  # Bytes.


@pytest.mark.parametrize(
    ("item", "fact"),
    [
        (None, "a string, bytes or an integer"),
        (1.0, "a string, bytes or an integer"),
        (float("nan"), "a string, bytes or an integer"),
        (True, "a string, bytes or an integer"),
        (b"\xff", "UTF-8"),
        ("\ud800", "UTF-8"),
    ],
)
@pytest.mark.parametrize("others", [[], ["a"], [b"a"], [7]])
def test_what_is_no_id_is_refused_in_every_method(by_id, item, fact, others):
    expected = f"item id {item!r}: expected {fact}"
    candidate = {"item_id": ["a"]}
    ids = [*others, item]
    assert refusal(by_id.rank, {"item_id": ids}) == f"candidate item_id: {expected}"
    assert (
        refusal(by_id.rank, candidate, history={"item_id": ids}) == f"history item_id: {expected}"
    )
    assert refusal(by_id.rank_items, ids) == f"item_ids: {expected}"
    assert refusal(by_id.rank_items, ["a"], history=ids) == f"history: {expected}"
    assert (
        refusal(by_id.rank_items, ["a"], embeddings={one: [1.0] for one in ids})
        == f"embeddings: {expected}"
    )


def test_a_mistyped_column_is_named_and_so_is_what_it_looks_like(with_column):
    with pytest.raises(MissingInputError) as caught:
        with_column.rank(CANDIDATE, context={"houre": 3, "price": 1.0})
    assert str(caught.value) == (
        "the ranker asks for context columns hour, but context holds houre, price; "
        "missing: hour (int64), which houre may be meant for"
    )


@pytest.mark.parametrize(
    ("hour", "row", "value"),
    [(1.5, 0, "1.5"), ([1.0, np.nan], 1, "nan"), ([np.inf, 1], 0, "inf"), (2.0**70, 0, "1.18")],
)
def test_an_integer_column_takes_no_other_number(with_column, hour, row, value):
    message = refusal(with_column.rank, CANDIDATE, context={"hour": hour})
    assert message.startswith(f"context hour at row {row} is {value}")
    assert message.endswith("; int64 is wanted")
    assert with_column.rank(CANDIDATE, context={"hour": 2.0})["click"].tolist() == [3.0, 7.0]


@pytest.mark.parametrize(
    "change",
    [
        {"candidate": [[1, 2]]},
        {"current": [1, 2]},
        {"history": [[1, 2]]},
        {"context": ["hour"]},
    ],
)
def test_an_argument_that_is_no_mapping(with_column, change):
    ((name, value),) = change.items()
    arguments = {"candidate": CANDIDATE, "context": {"hour": 3}} | change
    assert refusal(with_column.rank, **arguments) == (
        f"{name} is {value!r}; a mapping from names to values is wanted"
    )


@pytest.mark.parametrize(
    ("embedding", "shape_and_type"),
    [
        ([1.0, 2.0], r"shape (2,) and type float64"),
        ([[1.0, 2.0, 3.0]], r"shape (1, 3) and type float64"),
        ([1.0, np.nan, 3.0], r"shape (3,) and type float64"),
        ("abc", r"shape () and type <U3"),
        (None, r"shape () and type object"),
        ([1, [2, 3]], r"shape (2,) and type object"),
    ],
)
def test_an_embedding_that_does_not_fit_names_its_item(
    client_class, server, store, embedding, shape_and_type
):
    expected = f"the embedding of item 'bad' has {shape_and_type}; "
    embeddings = {"good": np.ones(3), "bad": embedding}
    with client_class(server.address, store=store) as ranker:
        message = refusal(
            ranker.rank_items,
            ["good", "bad"],
            embeddings=embeddings,
            context=CONTEXT,
            task="click",
        )
    assert message == expected + "a vector of 3 finite numbers is wanted"
    with client_class(server.address, model="dense") as dense:
        message = refusal(dense.rank_items, ["bad", "good"], embeddings=embeddings)
    assert message == expected + "a vector of 3 finite numbers is wanted"


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (["click"], "task is ['click']; the ranker's tasks to sort by are click, like"),
        (3, "task is 3; the ranker's tasks to sort by are click, like"),
        ({"click": "1"}, "the weight of task click is '1'; a number is wanted"),
        ({"click": float("nan")}, "the weight of task click is nan; a number is wanted"),
    ],
)
def test_a_task_that_cannot_sort(ranker, task, message):
    assert refusal(ranker.rank_items, ["old"], context=CONTEXT, task=task) == message


@pytest.mark.parametrize("embeddings", [[[1.0, 2.0], [1.0]], "abc", [["a", "b", "c"]], None])
def test_embeddings_that_are_no_array_of_numbers(server, embeddings):
    with EncoderClient(server.address) as encoder:
        assert "[N, D] is wanted" in refusal(encoder.encode, embeddings)
