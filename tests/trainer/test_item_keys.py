import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.distinct_items import distinct_items
from semantic_id_ranking.trainer.ranker.representations.item_keys import item_id_keys
from semantic_id_ranking.trainer.ranker.representations.item_keys import sequence_keys
from semantic_id_ranking.trainer.ranker.representations.item_keys import sid_keys
from semantic_id_ranking.trainer.ranker.representations.key_rows import VocabularyRows
from tests.trainer import representation_cases as cases


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_a_sequence_has_the_key_that_python_gives(length, kind):
    codes = np.random.default_rng(0).integers(-1, 60000, (20, length)).astype(kind)
    keys = sequence_keys(tf.constant(codes)).numpy()
    assert keys.tolist() == [cases.code_key(row) for row in codes]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8])
def test_a_semantic_id_has_the_fingerprint_of_its_bytes(length):
    sids = np.random.default_rng(0).integers(-1, 60000, (20, length))
    keys = sid_keys(tf.constant(sids)).numpy().view(np.uint64)
    texts = [sid.astype("<i8").tobytes() for sid in sids]
    for buckets in (2, 1009, 2**31 - 1):
        expected = tf.strings.to_hash_bucket_fast(texts, buckets)
        assert (keys % buckets).tolist() == expected.numpy().tolist()


@pytest.mark.parametrize("levels", [1, 4, 8])
@pytest.mark.parametrize("step", [1, 2**14])
def test_semantic_ids_have_keys_of_their_own(levels, step):
    rng = np.random.default_rng(levels)
    sids = rng.integers(-1, 4, (20_000, levels)) * step
    keys = sid_keys(tf.constant(sids)).numpy()
    groups = {}
    for sid, key in zip(sids.tolist(), keys.tolist(), strict=True):
        groups.setdefault(tuple(sid), set()).add(key)
    assert all(len(found) == 1 for found in groups.values())
    assert len(set.union(*groups.values())) == len(groups)


def test_keys_of_neighbours_fall_all_over():
    codes = np.stack(np.meshgrid(np.arange(64), np.arange(64)), -1).reshape(-1, 2)
    keys = sequence_keys(tf.constant(codes)).numpy()
    assert len(np.unique(keys)) == 64 * 64
    counts = np.bincount(keys % 64, minlength=64)
    # 64 keys a row are expected; a binomial's standard deviation is 8.
    assert 64 - 5 * 8 < counts.min() <= counts.max() < 64 + 5 * 8


def test_an_item_id_is_not_absent_unless_empty():
    keys = item_id_keys(tf.constant(["a", "", "b"])).numpy()
    assert keys[1] == -1
    assert keys[0] >= 0
    assert [keys[0], keys[2]] == [cases.id_key(b"a"), cases.id_key(b"b")]


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 200])
def test_distinct_items_and_their_positions(columns, count):
    keys = np.random.default_rng(0).integers(-1, 4, (count, columns))
    position, index = distinct_items([tf.constant(keys[:, i]) for i in range(columns)])
    assert len(position) == len(np.unique(keys, axis=0))
    np.testing.assert_array_equal(keys[position.numpy()][index.numpy()], keys)


def test_a_vocabulary_has_a_row_a_key():
    rows = VocabularyRows(np.array([50, 10, 30, 10, 20]), np.array([3, 1, 5, 1, 1]))

    class Owner(tf.keras.layers.Layer):
        pass

    rows.build(Owner())
    found = rows.find(tf.constant([[10, 20, 30], [50, 60, -1]], tf.int64)).numpy()
    assert found.tolist() == [[0, 1, 2], [3, -1, -1]]
    assert rows.table_rows == 4
    assert rows.counts.tolist() == [2, 1, 5, 3]


def test_an_empty_vocabulary_knows_nothing():
    rows = VocabularyRows(np.zeros(0, np.int64), np.zeros(0))
    assert rows.table_rows == 0
    assert rows.find(tf.constant([4, 5], tf.int64)).numpy().tolist() == [-1, -1]
