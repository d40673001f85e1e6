"""A ranker that sees items by their content embeddings."""

import numpy as np
import pytest

from semantic_id_ranking.serving.client import MissingInputError
from semantic_id_ranking.serving.client import RankerClient


@pytest.fixture(scope="module")
def dense(server):
    with RankerClient(server.address, model="dense", sid_fingerprint="space-z") as client:
        yield client


def test_scores_of_embeddings(dense):
    assert dense.item_fields() == ("embedding",)
    scores = dense.rank(
        {"embedding": [[1, 0, 0], [2.5, 0, 0]]},
        current={"embedding": [3, 0, 0]},
        history={"embedding": np.eye(3)},
    )
    np.testing.assert_array_equal(scores["click"], [131.0, 132.5])
    np.testing.assert_array_equal(dense.rank({"embedding": [[4, 0, 0]]})["click"], [4.0])


def test_items_by_id_take_their_embeddings_and_others_zeros(dense):
    embeddings = {"a": np.float32([1, 9, 9]), "b": np.float32([2, 9, 9])}
    ranking = dense.rank_items(["nobody", "a", "b"], history=["a"], embeddings=embeddings)
    assert [(row.item_id, row.scores["click"]) for row in ranking.items] == [
        ("b", 102.0),
        ("a", 101.0),
        ("nobody", 100.0),
    ]
    assert ranking.sid_counts == {}
    assert ranking.items[0].source is None


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        ([[1, 2]], "candidate embedding has shape (1, 2); embeddings of 3 numbers are wanted"),
        ([["a", "b", "c"]], "candidate embedding is <U1; numbers are wanted"),
        ([[0, 0, 0], [0, np.inf, 0]], "candidate embedding at row 1 is not finite"),
    ],
)
def test_what_does_not_fit_is_refused(dense, embedding, message):
    with pytest.raises(ValueError) as caught:
        dense.rank({"embedding": embedding})
    assert str(caught.value) == message


def test_a_missing_embedding_is_named(dense):
    with pytest.raises(MissingInputError, match="missing: embedding"):
        dense.rank({"sid": [[1, 2]]})
