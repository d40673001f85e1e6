"""SidTokenizer: its rows for Semantic IDs, and saving."""

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.pack import pack
from semantic_id_ranking.trainer.tokenizer.pack import unpack
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests.trainer import representation_cases as cases
from tests.trainer.representation_cases import CODES
from tests.trainer.representation_cases import LEVELS
from tests.trainer.representation_cases import SPACE


@pytest.fixture(scope="module")
def tokenizer() -> SidTokenizer:
    return cases.make_resources()


@pytest.fixture(scope="module")
def sids(tokenizer):
    """Known and new Semantic IDs, some of them absent for one of several reasons."""
    rng = np.random.default_rng(5)
    sids = np.concatenate([tokenizer.items.sids, rng.integers(0, CODES, (60, LEVELS))])
    sids[::7] = -1
    sids[3, 1], sids[4, 2] = CODES, -1
    return sids


def test_rows_are_sentencepieces(tokenizer, sids):
    rows = tokenizer.rows(sids)
    assert (rows.shape, rows.dtype) == (sids.shape, np.int32)
    for sid, found in zip(sids, rows, strict=True):
        present = min(sid) >= 0 and max(sid) < CODES
        pieces = cases.pieces(tokenizer, sid) if present else []
        assert found.tolist() == pieces + [-1] * (LEVELS - len(pieces))
    assert rows.max() < tokenizer.table_rows


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_a_tensor_has_the_same_rows(tokenizer, sids, dtype):
    expected = tokenizer.rows(sids)
    tensor = tf.constant(sids.astype(dtype))
    np.testing.assert_array_equal(tokenizer.rows(tensor), expected)
    stacked = sids.reshape(4, 25, LEVELS)
    np.testing.assert_array_equal(tokenizer.rows(stacked), expected.reshape(4, 25, LEVELS))
    in_graph = tf.function(tokenizer.rows)(tf.constant(stacked))
    np.testing.assert_array_equal(in_graph, expected.reshape(4, 25, LEVELS))
    data = tf.data.Dataset.from_tensor_slices(tensor).batch(30).map(tokenizer.rows)
    assert data.element_spec == tf.TensorSpec([None, LEVELS], tf.int32)
    np.testing.assert_array_equal(np.concatenate(list(data.as_numpy_iterator())), expected)


def test_no_items_have_no_rows(tokenizer):
    none = np.zeros((0, LEVELS), np.int32)
    assert tokenizer.rows(none).shape == (0, LEVELS)
    assert tokenizer.rows(tf.constant(none)).shape == (0, LEVELS)
    assert tokenizer.encode(none) == []


def test_pieces_joined_are_the_semantic_id(tokenizer, sids):
    for sid, pieces, rows in zip(sids, tokenizer.encode(sids), tokenizer.rows(sids), strict=True):
        assert len(pieces) == (rows >= 0).sum()
        assert [code for piece in pieces for code in piece] == (sid.tolist() if pieces else [])
    assert any(len(piece) > 1 for pieces in tokenizer.encode(sids) for piece in pieces)


@pytest.mark.parametrize("how", ["saved", "packed"])
def test_all_of_it_outlives_saving(tokenizer, sids, how, tmp_path):
    if how == "saved":
        tokenizer.save(str(tmp_path / "new"))
        other = SidTokenizer.load(str(tmp_path / "new"))
    else:
        other = unpack(pack(tokenizer))
    assert (other.space, other.model) == (tokenizer.space, tokenizer.model)
    np.testing.assert_array_equal(other.codebooks, tokenizer.codebooks)
    for name, array in tokenizer.items.arrays().items():
        np.testing.assert_array_equal(getattr(other.items, name), array)
    np.testing.assert_array_equal(other.rows(sids), tokenizer.rows(sids))
    assert other.statistics() == tokenizer.statistics()


def test_ids_and_codebooks_need_not_be_known(tmp_path):
    tokenizer = SidTokenizer.fit([[0, 1, 2]], [3], SPACE, rows=30)
    tokenizer.save(str(tmp_path))
    for other in (SidTokenizer.load(str(tmp_path)), unpack(pack(tokenizer))):
        assert other.items.item_ids is None
        assert other.codebooks is None
        assert other.items.impressions.tolist() == [3]


def test_item_ids_may_be_integers():
    tokenizer = SidTokenizer.fit([[0, 1, 2], [1, 1, 1]], [3, 0], SPACE, 30, item_ids=[17, 18])
    assert tokenizer.items.item_ids.tolist() == [b"17"]


@pytest.mark.parametrize(
    ("sids", "message"),
    [
        (np.zeros((2, 4), int), r"sids must be \[..., 3\].* not of shape \[2, 4\]"),
        (np.zeros((2, 3)), "sids must be integers"),
        (np.int64(3), r"not of shape \[\]"),
    ],
)
def test_wrong_sids_are_named(tokenizer, sids, message):
    for given in (sids, tf.constant(sids)):
        with pytest.raises(InputError, match=message):
            tokenizer.rows(given)
    with pytest.raises(InputError):
        tokenizer.encode(sids)


def test_what_lacks_is_named():
    with pytest.raises(InputError, match=r"item_ids must be \[1\], one an item, not \[2\]"):
        SidTokenizer.fit([[0, 1, 2]], [3], SPACE, 30, item_ids=["a", "b"])
    untrained = SidTokenizer(SidSpace("0123456789abcdef", LEVELS, CODES))
    with pytest.raises(ValueError, match="need a trained SID tokenizer"):
        untrained.rows(np.zeros((1, LEVELS), int))
