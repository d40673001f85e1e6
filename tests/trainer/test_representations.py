import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations import Dense
from semantic_id_ranking.trainer.ranker.representations import DenseProjected
from semantic_id_ranking.trainer.ranker.representations import IndividualId
from semantic_id_ranking.trainer.ranker.representations import parse_representation
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations import SidHybrid
from semantic_id_ranking.trainer.ranker.representations import SidNgram
from semantic_id_ranking.trainer.ranker.representations import SidPrefix
from semantic_id_ranking.trainer.ranker.representations import SidSpm
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests.trainer import representation_cases as cases
from tests.trainer.representation_cases import CODES
from tests.trainer.representation_cases import CONFIGS
from tests.trainer.representation_cases import DIM
from tests.trainer.representation_cases import EMBEDDING
from tests.trainer.representation_cases import LEVELS
from tests.trainer.representation_cases import ROWS
from tests.trainer.representation_cases import SPACE

ALL = {
    **CONFIGS,
    "dense": Dense(),
    "sid_hybrid": SidHybrid(rows=ROWS),
}


@pytest.fixture(scope="module")
def resources() -> SidTokenizer:
    return cases.make_resources()


@pytest.fixture
def make(resources):
    """Makes a representation whose weights are known numbers."""
    return lambda kind: cases.make_filled(ALL[kind], resources)


def loop_rows(kind, resources, items, index):
    return cases.rows_by_loop(
        kind, resources, items["sid"].numpy()[index], items["item_id"].numpy()[index]
    )


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("shape", [(200,), (6, 9), (4, 0), (0,)])
def test_an_item_is_the_sum_of_its_rows(make, resources, kind, shape):
    layer, items = make(kind), cases.some_items(resources, *shape)
    (table,) = [table.numpy() for table in layer.tables]
    assert layer.table_rows == len(table)
    vectors, counts = layer(items).all().numpy(), layer.lookups(items).numpy()
    assert vectors.shape == (*shape, DIM)
    assert counts.shape == layer.present(items).shape == shape
    for index in np.ndindex(shape):
        rows = loop_rows(kind, resources, items, index)
        expected = np.zeros(DIM, np.float32)
        for row in rows:
            expected += table[row]
        np.testing.assert_allclose(vectors[index], expected, rtol=1e-5, atol=1e-6)
        assert counts[index] == len(rows)
        assert bool(layer.present(items).numpy()[index]) == bool(rows)


def test_the_cases_have_both_kinds_of_items(resources):
    items = cases.some_items(resources, 200)
    found = [len(loop_rows("spm", resources, items, (i,))) for i in range(200)]
    assert {0, 1, 3} <= set(found)
    ids = [loop_rows("individual_id", resources, items, (i,)) for i in range(200)]
    assert [40] in ids
    assert len({tuple(rows) for rows in ids}) > 30


@pytest.mark.parametrize("kind", ALL)
def test_it_does_the_same_in_a_graph(make, resources, kind):
    layer, items = make(kind), cases.some_items(resources, 5, 4)
    call = tf.function(lambda features: layer(features).all())
    np.testing.assert_allclose(call(items), layer(items).all(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["unigram", "bigram", "prefix", "spm", "sid_hybrid"])
@pytest.mark.parametrize("bad", [[0, CODES, 0], [0, 0, -1], [-1, 2, 3], [2**40, 0, 0]])
def test_one_code_out_of_range_makes_the_item_absent(make, kind, bad):
    layer = make(kind)
    items = {"sid": tf.constant([bad, [0, 1, 2]], tf.int64)}
    vectors = layer(items).all().numpy()
    np.testing.assert_array_equal(vectors[0], np.zeros(DIM))
    assert np.abs(vectors[1]).max() > 0
    assert layer.present(items).numpy().tolist() == [False, True]
    assert layer.lookups(items).numpy()[0] == 0


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("training", [False, True])
def test_only_absent_items_give_zeros(make, kind, training):
    layer = make(kind)
    items = {
        "sid": tf.fill([3, LEVELS], tf.constant(-1, tf.int64)),
        "item_id": tf.fill([3], ""),
        "embedding": tf.zeros([3, EMBEDDING]),
    }
    vectors = layer(items, training=training).all()
    np.testing.assert_array_equal(vectors, np.zeros((3, DIM)))


def test_an_item_may_have_an_id_but_no_sid(make, resources):
    layer = make("id_plus_sid")
    item = {"sid": tf.fill([1, LEVELS], tf.constant(-1, tf.int64)), "item_id": tf.constant(["a"])}
    (row,) = cases.rows_by_loop("id_plus_sid", resources, [-1] * LEVELS, b"a")
    np.testing.assert_allclose(layer(item).all()[0], layer.tables[0][row])
    assert layer.present(item).numpy().tolist() == [True]


def test_items_unseen_in_training_share_a_row_of_individual_ids(make):
    layer = make("individual_id")
    vectors = layer({"item_id": tf.constant(["never seen", "nor this", "i7"])}).all().numpy()
    np.testing.assert_array_equal(vectors[0], layer.tables[0].numpy()[-1])
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert np.abs(vectors[0] - vectors[2]).max() > 0.1


def test_dense_is_a_linear_map_of_the_direction(make, resources):
    layer, items = make("dense"), cases.some_items(resources, 4, 6)
    (kernel,) = (weight.numpy() for weight in layer.trainable_variables)
    x = items["embedding"].numpy()
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    unit = x / np.where(length > 0, length, 1)
    np.testing.assert_allclose(layer(items).all(), unit @ kernel * EMBEDDING**0.5, rtol=1e-4)
    np.testing.assert_array_equal(layer.present(items), length[..., 0] > 0)
    assert layer.table_rows == 0
    assert layer.tables == []
    np.testing.assert_array_equal(layer.lookups(items), np.zeros((4, 6)))


def test_dense_projected_is_dense_under_a_wider_first_layer(resources):
    layer = DenseProjected(factor=1.5).create(DIM, resources)
    assert (layer.fields, layer.bottom_factor) == (("embedding",), 1.5)
    dense = Dense().create(DIM, resources)
    assert dense.bottom_factor == 1.0


def test_training_tokenizes_known_and_unknown_sids_alike(make, resources):
    layer, items = make("spm"), cases.some_items(resources, 300)
    trained = layer(items, training=True)
    np.testing.assert_allclose(trained.all(), layer(items).all(), rtol=1e-5, atol=1e-6)


def test_without_known_items_training_tokenizes_all(resources):
    bare = SidTokenizer(SPACE, resources.model)
    layer = cases.make_filled(ALL["spm"], resources)
    other = ALL["spm"].create(DIM, bare)
    items = cases.some_items(resources, 50)
    other(items)
    other.tables[0].assign(layer.tables[0])
    np.testing.assert_allclose(
        other(items, training=True).all(), layer(items).all(), rtol=1e-5, atol=1e-6
    )


def test_sampling_draws_several_tokenizations_in_training_alone(resources):
    # Such a power makes all about as probable: 60 draws will not all be the same.
    config = SidSpm(rows=ROWS, sampling=0.001)
    layer = cases.make_filled(config, resources)
    sid = max(resources.items.sids.tolist(), key=lambda one: -len(cases.pieces(resources, one)))
    assert len(cases.pieces(resources, sid)) == 1
    items = {"sid": tf.constant([sid], tf.int64)}
    assert np.unique([layer(items).all().numpy() for _ in range(5)], axis=0).shape[0] == 1
    drawn = [layer(items, training=True).all().numpy()[0] for _ in range(60)]
    # One piece, two and one, one and two, or three.
    assert 1 < len(np.unique(np.round(drawn, 4), axis=0)) <= 4


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_step_touches_only_the_rows_it_read(make, resources, kind):
    layer, items = make(kind), cases.some_items(resources, 30)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(items, training=True).all())
    gradient = tape.gradient(loss, layer.tables[0])
    assert isinstance(gradient, tf.IndexedSlices)
    moved = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, layer.table_rows)
    expected = np.zeros(layer.table_rows)
    for index in np.ndindex(30):
        for row in loop_rows(kind, resources, items, index):
            expected[row] += 1
    np.testing.assert_allclose(moved.numpy(), np.repeat(expected[:, None], DIM, 1), rtol=1e-5)


@pytest.mark.parametrize("kind", [*CONFIGS, "sid_hybrid"])
@pytest.mark.parametrize("separate", [False, True])
def test_small_tables_are_trained_as_a_whole_to_the_same_effect(resources, kind, separate):
    config = dataclasses.replace(ALL[kind], separate_tables=separate)
    roles = {
        role: cases.some_items(resources, 30, seed=seed)
        for seed, role in enumerate(("candidate", "current", "history"))
    }
    found = []
    for batch_size in (0, 10 * ROWS):
        layer = config.create(DIM, resources)
        layer.expect_batches(batch_size)
        layer.by_role(roles, training=False)
        rng = np.random.default_rng(1)
        for weight in layer.trainable_variables:
            weight.assign(rng.normal(size=weight.shape).astype(np.float32))
        with tf.GradientTape() as tape:
            vectors = layer.by_role(roles, training=True)
            loss = sum(tf.reduce_sum(one.all() ** 2) for one in vectors.values())
        found.append(tape.gradient(loss, layer.tables))
    sparse, dense = found
    assert any(isinstance(gradient, tf.IndexedSlices) for gradient in sparse)
    assert all(isinstance(gradient, tf.Tensor) for gradient in dense)
    for one, other in zip(sparse, dense, strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(one), other, rtol=1e-4, atol=1e-5)


def test_a_tokenizer_outlives_a_change_of_the_seed(make, resources):
    layer, items = make("spm"), cases.some_items(resources, 9)
    call = tf.function(lambda features: layer(features).all())
    before = call(items)
    tf.random.set_seed(3)
    np.testing.assert_array_equal(call(items), before)


@pytest.mark.parametrize("kind", ["unigram", "random_hash", "sid_hybrid", "dense"])
def test_roles_share_rows_or_have_their_own(resources, kind):
    config = ALL[kind]
    names = ("candidate", "current", "history")
    roles = {name: cases.some_items(resources, 4, seed=9) for name in names}
    shared = cases.make_filled(config, resources).by_role(roles, training=False)
    apart = REGISTRY[config.name](rows=config.rows, separate_tables=True)
    layer = apart.create(DIM, resources)
    layer.by_role(roles, training=True)
    rng = np.random.default_rng(0)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    separate = layer.by_role(roles, training=False)
    present = layer.present(roles["current"]).numpy()
    assert present.any()
    for name in names[1:]:
        np.testing.assert_allclose(shared[name].all(), shared["candidate"].all(), rtol=1e-4)
        other, first = separate[name].all().numpy(), separate["candidate"].all().numpy()
        np.testing.assert_array_equal(np.abs(other - first).max(axis=1) > 1e-3, present)
    single = config.create(DIM, resources)
    assert layer.table_rows == 3 * single.table_rows
    assert len(layer.tables) == 3 * len(cases.make_filled(config, resources).tables)


def test_by_role_gives_each_role_its_items(make, resources):
    layer = make("id_plus_sid")
    roles = {
        "history": cases.some_items(resources, 12, seed=1),
        "current": cases.some_items(resources, 0, seed=2),
        "candidate": cases.some_items(resources, 5, seed=3),
    }
    vectors = layer.by_role(roles, training=True)
    for role, items in roles.items():
        np.testing.assert_allclose(vectors[role].all(), layer(items).all(), rtol=1e-6)


def test_the_configuration_knows_the_names_of_the_registry():
    assert {name: type(parse_representation({"name": name})) for name in REGISTRY} == REGISTRY
    with pytest.raises(ValueError, match="sid_trigram"):
        parse_representation({"name": "sid_trigram"})


def test_options_have_the_defaults_of_their_representation_and_no_other():
    assert not {"n", "tau", "factor"} & set(vars(SidPrefix()))
    assert SidHybrid().tau > 0
    assert SidNgram().n == 1
    with pytest.raises(ValueError, match="SidSpm: n: unknown key"):
        SidSpm(n=2)


def test_a_tokenizer_larger_than_the_budget_is_refused(resources):
    with pytest.raises(ValueError, match="only 30; train the tokenizer"):
        SidSpm(rows=30).create(DIM, resources)


@pytest.mark.parametrize(
    ("config", "lacks"),
    [
        (SidSpm(), "a trained SID tokenizer"),
        (IndividualId(), "the items of the train split"),
        (SidHybrid(), "the items of the train split"),
    ],
)
def test_what_a_representation_needs_is_named(config, lacks):
    with pytest.raises(ValueError, match=f"needs? {lacks}"):
        config.create(DIM, SidTokenizer(SPACE))
