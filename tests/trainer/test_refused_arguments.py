"""Wrong arguments of the library: one sentence with the argument, what came and what is right."""

import numpy as np
import pytest

from semantic_id_ranking import ItemEmbedding
from semantic_id_ranking import RqVaeConfig
from semantic_id_ranking import SemanticIds
from semantic_id_ranking import SidHybrid
from semantic_id_ranking import SidSpm
from semantic_id_ranking import SidTokenizer
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace

EMBEDDINGS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
SPACE = SidSpace("0123456789abcdef", levels=2, codebook_size=4)
SIDS = np.array([[0, 1], [2, 3], [1, 1]])
COUNTS = np.array([5, 2, 1])
WITH_NAN = np.where(np.arange(40)[:, None] == 7, np.nan, EMBEDDINGS)


@pytest.fixture(scope="module")
def semantic_ids():
    return SemanticIds.fit(EMBEDDINGS, levels=2, codebook_size=4, epochs=0)


@pytest.fixture(scope="module")
def tokenizer():
    return SidTokenizer.fit(SIDS, COUNTS, SPACE, rows=9)


def refusal(call, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        call(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("embeddings", "fields", "sentence"),
    [
        (EMBEDDINGS, {"levels": 0}, "RqVaeConfig: levels: 0 is not allowed; input should be gr"),
        (EMBEDDINGS, {"lvels": 2}, "RqVaeConfig: lvels: unknown key; did you mean levels?"),
        (EMBEDDINGS, {"config": 3}, "config must be a RqVaeConfig, not of type int"),
        (EMBEDDINGS, {"config": RqVaeConfig(), "levels": 2}, "give a config or levels, not both"),
        (EMBEDDINGS[0], {}, "embeddings must be [N, D], not of shape [3]"),
        (EMBEDDINGS[:0], {}, "embeddings must be [N, D], not of shape [0, 3]"),
        (WITH_NAN, {}, "embeddings: row 7 holds a number that is not finite; leave it out"),
        ([["1", "2"]], {}, "embeddings must be numbers in one array [n, D], not of type <U1"),
        ([[1.0, 2.0], [3.0]], {}, "embeddings must be numbers in one array [n, D], not a list"),
    ],
)
def test_fit_of_semantic_ids(embeddings, fields, sentence):
    assert refusal(SemanticIds.fit, embeddings, **fields).startswith(sentence)


@pytest.mark.parametrize(
    ("embeddings", "sentence"),
    [
        (EMBEDDINGS[:, :2], "embeddings must be [n, 3], not [40, 2]"),
        (EMBEDDINGS[0], "embeddings must be [n, 3], not [3]"),
        ([["a", "b", "c"]], "embeddings must be numbers in one array [n, D], not of type <U1"),
    ],
)
def test_encode(semantic_ids, embeddings, sentence):
    assert refusal(semantic_ids.encode, embeddings) == sentence
    assert refusal(semantic_ids.report, embeddings) == sentence


@pytest.mark.parametrize(
    ("sids", "sentence"),
    [
        ([[1, 2, 3]], "sids must be [n, 2], not [1, 3]"),
        ([["a", "b"]], "sids must be integers, not of type <U1"),
        ([[0.5, 1]], "sids must be integers, not of type float64"),
    ],
)
def test_decode(semantic_ids, sids, sentence):
    assert refusal(semantic_ids.decode, sids) == sentence


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"rows": 8}, "rows = 8 cannot hold all 2 x 4 codes and <unk>; the smallest budget is 9"),
        ({"rows": "9"}, "rows: '9' is not allowed; give a number of pieces, an integer"),
        ({"counts": [5, -2, 1]}, "counts must be 0 or more, not -2, as of item 1"),
        ({"counts": [5, 2]}, "sids must be [N, 2] and counts [N], not [3, 2] and [2]"),
        ({"counts": [0, 0, 0]}, "counts: no item has an impression to learn pieces from"),
        ({"counts": [0.5, 1, 1]}, "counts must be integers, not of type float64"),
        ({"sids": SIDS[0]}, "sids must be [N, 2] and counts [N], not [2] and [3]"),
        ({"sids": SIDS + 1}, "sids must have codes from 0 to 3, not [3, 4], as of item 1"),
        ({"sids": SIDS / 2}, "sids must be integers, not of type float64"),
        ({"item_ids": ["a"]}, "item_ids must be [3], one an item, not [1]"),
        ({"semantic_ids": "folder"}, "semantic_ids must be SemanticIds or a SidSpace, not a str"),
    ],
)
def test_fit_of_a_tokenizer(changed, sentence):
    arguments = {"sids": SIDS, "counts": COUNTS, "semantic_ids": SPACE, "rows": 9, **changed}
    assert refusal(SidTokenizer.fit, **arguments).startswith(sentence)


@pytest.mark.parametrize(
    ("representation", "dim", "sentence"),
    [
        ("sid_foo", 4, "representation 'sid_foo' is unknown; it is one of random_hash, "),
        (SidHybrid, 4, "representation: <class "),
        (None, 4, "representation: None is not allowed; give the configuration of a representat"),
        (SidSpm(rows=9), 0, "dim: 0 is not allowed; give a width of 1 or more"),
    ],
)
def test_an_item_embedding(tokenizer, representation, dim, sentence):
    assert refusal(ItemEmbedding, representation, tokenizer, dim).startswith(sentence)


def test_an_item_embedding_without_a_tokenizer():
    sentence = "tokenizer must be a SidTokenizer, not of type NoneType"
    assert refusal(ItemEmbedding, "sid_spm", None) == sentence
