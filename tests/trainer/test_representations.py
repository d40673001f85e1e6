import typing

import farmhash
import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations import create_representation
from trainer.ranker.representations import REGISTRY
from trainer.ranker.representations import SidResources
from trainer.sid_space import SidSpace
from trainer.tokenizer.config import TokenizerConfig
from trainer.tokenizer.train import train_tokenizer

LEVELS, CODES, DIM, ROWS = 3, 8, 5, 60
SPACE = SidSpace("0123456789abcdef", LEVELS, CODES, 16)


@pytest.fixture(scope="module")
def resources(tmp_path_factory) -> SidResources:
    rng = np.random.default_rng(0)
    sids = rng.integers(0, CODES, (40, LEVELS))
    sids[:20, 1] = (sids[:20, 0] + 1) % CODES
    directory = str(tmp_path_factory.mktemp("tokenizer"))
    train_tokenizer(
        sids, np.arange(40, 0, -1) ** 2, ROWS, TokenizerConfig(), directory=directory, space=SPACE
    )
    return SidResources.load(directory)


@pytest.fixture
def make(resources):
    """Makes a representation whose table is filled with known numbers."""

    def make_one(name, rows=ROWS):
        layer = create_representation(RepresentationConfig(name, rows), DIM, resources)
        layer(some_items())
        (table,) = layer.tables
        table.assign(np.random.default_rng(1).normal(size=table.shape).astype(np.float32))
        return layer

    return make_one


def some_items(*shape, seed=2):
    """Random items of any leading shape, some absent."""
    shape = shape or (7,)
    rng = np.random.default_rng(seed)
    sid = rng.integers(0, CODES, (*shape, LEVELS))
    ids = np.array([f"item{i}" for i in rng.integers(0, 20, np.prod(shape))], object)
    ids = ids.reshape(shape)
    absent = rng.random(shape) < 0.3
    sid[absent], ids[absent] = -1, ""
    return {"sid": tf.constant(sid, tf.int64), "item_id": tf.constant(ids)}


def rows_by_loop(name, layer, resources, items, index):
    """The table rows of one item, found without TensorFlow."""
    sid, item_id = items["sid"].numpy()[index], items["item_id"].numpy()[index]
    if name == "random_hash":
        return [farmhash.fingerprint64(item_id.decode()) % layer.table_rows] if item_id else []
    if sid.min() < 0 or sid.max() >= CODES:
        return []
    if name == "sid_unigram":
        return [level * CODES + code for level, code in enumerate(sid)]
    text = "".join(chr(0xF0000 + level * CODES + code) for level, code in enumerate(sid))
    processor = sentencepiece.SentencePieceProcessor(model_proto=resources.tokenizer_model)
    return processor.encode(text)


@pytest.mark.parametrize("name", sorted(REGISTRY))
@pytest.mark.parametrize("shape", [(200,), (6, 9), (4, 0), (0,)])
def test_an_item_is_the_sum_of_its_rows(make, resources, name, shape):
    layer, items = make(name), some_items(*shape)
    table = layer.tables[0].numpy()
    vectors, counts = layer(items).numpy(), layer.lookups(items).numpy()
    assert vectors.shape == (*shape, DIM)
    assert counts.shape == shape
    assert layer.present(items).shape == shape
    for index in np.ndindex(shape):
        rows = rows_by_loop(name, layer, resources, items, index)
        expected = np.zeros(DIM, np.float32)
        for row in rows:
            expected += table[row]
        np.testing.assert_allclose(vectors[index], expected, rtol=1e-5, atol=1e-6)
        assert counts[index] == len(rows)
        assert bool(layer.present(items).numpy()[index]) == bool(rows)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_it_does_the_same_in_a_graph(make, name):
    layer, items = make(name), some_items(5, 4)
    np.testing.assert_allclose(tf.function(layer)(items), layer(items), rtol=1e-6)


@pytest.mark.parametrize("name", ["sid_unigram", "sid_spm"])
@pytest.mark.parametrize("bad", [[0, CODES, 0], [0, 0, -1], [-1, 2, 3], [2**40, 0, 0]])
def test_one_code_out_of_range_makes_the_item_absent(make, name, bad):
    layer = make(name)
    items = {"sid": tf.constant([bad, [0, 1, 2]], tf.int64)}
    vectors = layer(items).numpy()
    np.testing.assert_array_equal(vectors[0], np.zeros(DIM))
    assert np.abs(vectors[1]).max() > 0
    assert layer.present(items).numpy().tolist() == [False, True]
    assert layer.lookups(items).numpy()[0] == 0


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_only_absent_items_give_zeros(make, name):
    layer = make(name)
    items = {"sid": tf.fill([3, LEVELS], tf.constant(-1, tf.int64)), "item_id": tf.fill([3], "")}
    np.testing.assert_array_equal(layer(items), np.zeros((3, DIM)))


def test_an_item_never_seen_reads_some_row_of_the_hash_table(make):
    layer = make("random_hash", rows=3)
    vector = layer({"item_id": tf.constant(["never seen"])}).numpy()[0]
    row = farmhash.fingerprint64("never seen") % 3
    np.testing.assert_array_equal(vector, layer.tables[0].numpy()[row])


def test_tensorflow_text_cuts_as_sentencepiece_does(make, resources):
    layer = make("sid_spm")
    sids = np.stack(np.meshgrid(*[np.arange(CODES)] * LEVELS), -1).reshape(-1, LEVELS)
    # One-hot rows turn an item's vector into the list of its pieces.
    wide = create_representation(RepresentationConfig("sid_spm", ROWS), layer.table_rows, resources)
    wide({"sid": tf.constant(sids)})
    wide.tables[0].assign(np.eye(layer.table_rows, dtype=np.float32))
    counts = wide({"sid": tf.constant(sids)}).numpy()
    lengths = set()
    for sid, count in zip(sids, counts, strict=True):
        one = {"sid": tf.constant([sid]), "item_id": tf.constant([""])}
        rows = rows_by_loop("sid_spm", layer, resources, one, 0)
        assert sorted(np.repeat(np.arange(len(count)), count.astype(int))) == sorted(rows)
        lengths.add(len(rows))
    assert len(lengths) > 1


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_step_touches_only_the_rows_it_read(make, resources, name):
    layer, items = make(name), some_items(30)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(items))
    gradient = tape.gradient(loss, layer.tables[0])
    assert isinstance(gradient, tf.IndexedSlices)
    moved = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, layer.table_rows)
    expected = np.zeros(layer.table_rows)
    for index in np.ndindex(30):
        for row in rows_by_loop(name, layer, resources, items, index):
            expected[row] += 1
    np.testing.assert_allclose(moved.numpy(), np.repeat(expected[:, None], DIM, 1), rtol=1e-5)


def test_a_tokenizer_outlives_a_change_of_the_seed(make):
    layer, items = make("sid_spm"), some_items(9)
    call = tf.function(layer)
    before = call(items)
    tf.random.set_seed(3)
    np.testing.assert_array_equal(call(items), before)


@pytest.mark.parametrize(
    ("name", "rows"), [("random_hash", 11), ("sid_unigram", LEVELS * CODES), ("sid_spm", None)]
)
def test_table_rows_are_what_the_table_has(make, resources, name, rows):
    if name == "sid_spm":
        model = resources.tokenizer_model
        rows = sentencepiece.SentencePieceProcessor(model_proto=model).get_piece_size()
    layer = make(name, rows=11 if name == "random_hash" else ROWS)
    assert layer.table_rows == layer.tables[0].shape[0] == rows


def test_the_configuration_knows_the_names_of_the_registry():
    assert set(typing.get_args(typing.get_type_hints(RepresentationConfig)["name"])) == set(
        REGISTRY
    )
    with pytest.raises(ValueError, match="sid_trigram"):
        RepresentationConfig("sid_trigram")


def test_a_tokenizer_larger_than_the_budget_is_refused(resources):
    with pytest.raises(ValueError, match="only 30 rows"):
        create_representation(RepresentationConfig("sid_spm", 30), DIM, resources)


def test_spm_without_a_tokenizer_is_refused():
    with pytest.raises(ValueError, match="needs a trained SID tokenizer"):
        create_representation(RepresentationConfig("sid_spm"), DIM, SidResources(SPACE))
