"""ItemEmbedding: a layer of any Keras 2 model."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.ranker.item_embedding import ItemEmbedding
from semantic_id_ranking.trainer.ranker.representations import Dense
from semantic_id_ranking.trainer.ranker.representations import IdPlusSid
from semantic_id_ranking.trainer.ranker.representations import IndividualId
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations import SidHybrid
from semantic_id_ranking.trainer.ranker.representations import SidSpm
from tests.trainer import representation_cases as cases
from tests.trainer.representation_cases import CODES
from tests.trainer.representation_cases import DIM
from tests.trainer.representation_cases import EMBEDDING
from tests.trainer.representation_cases import LEVELS
from tests.trainer.representation_cases import ROWS

BATCH, HISTORY = 12, 4
SHAPES = {"sid": (LEVELS,), "item_id": (), "embedding": (EMBEDDING,)}
DTYPES = {"sid": "int32", "item_id": "string", "embedding": "float32"}


@pytest.fixture(scope="module")
def tokenizer():
    return cases.make_resources()


def batch(tokenizer, *shape, fields=("sid",), seed=2):
    """Items of a shape: the one field, or a dictionary of several."""
    items = cases.some_items(tokenizer, *shape, seed=seed)
    found = {field: items[field] for field in fields}
    return found if len(fields) > 1 else next(iter(found.values()))


def model_of(layer, other=None):
    """A model with a candidate and a history that share a layer; and maybe another layer."""

    def inputs(name, leading):
        found = {
            field: tf_keras.Input(
                (*leading, *SHAPES[field]), dtype=DTYPES[field], name=name + field
            )
            for field in layer.fields
        }
        return found if len(found) > 1 else next(iter(found.values()))

    candidate, history = inputs("candidate_", ()), inputs("history_", (None,))
    pooled = tf_keras.layers.GlobalAveragePooling1D()
    parts = [layer(candidate), pooled(layer(history))]
    if other is not None:
        parts.append(other(candidate))
    score = tf_keras.layers.Dense(1)(tf_keras.layers.Concatenate()(parts))
    return tf_keras.Model([candidate, history], score)


@pytest.mark.parametrize("name", REGISTRY)
@pytest.mark.parametrize("shape", [(9,), (3, 2)])
def test_vectors_are_those_of_the_pipelines_representation(tokenizer, name, shape):
    config = REGISTRY[name](**({} if name.startswith("dense") else {"rows": ROWS}))
    layer = ItemEmbedding(config, tokenizer, DIM)
    ours = config.create(DIM, tokenizer)
    items = cases.some_items(tokenizer, *shape)
    expected = ours(items).all()
    given = batch(tokenizer, *shape, fields=layer.fields)
    vectors = layer(given)
    for mine, other in zip(layer.weights, ours.weights, strict=True):
        mine.assign(other)
    np.testing.assert_allclose(layer(given), expected, rtol=1e-6)
    assert vectors.shape == (*shape, DIM)
    assert layer.table_rows == ours.table_rows


@pytest.mark.parametrize(
    "config",
    [SidSpm(rows=ROWS), SidHybrid(rows=ROWS), IdPlusSid(rows=ROWS), IndividualId(), Dense()],
    ids=lambda config: config.name,
)
@pytest.mark.parametrize("form", ["keras", "tf"])
def test_a_saved_model_gives_the_same_and_can_be_trained_on(tokenizer, config, form, tmp_path):
    layer = ItemEmbedding(config, tokenizer, DIM)
    model = model_of(layer)
    model.compile("adam", "mse")
    data = [
        batch(tokenizer, BATCH, fields=layer.fields),
        batch(tokenizer, BATCH, HISTORY, fields=layer.fields, seed=4),
    ]
    labels = np.ones((BATCH, 1), np.float32)
    model.fit(data, labels, verbose=0)
    expected = model.predict(data, verbose=0)
    path = tmp_path / ("model.keras" if form == "keras" else "model")
    model.save(path, save_format=form)
    loaded = tf_keras.models.load_model(path)
    np.testing.assert_array_equal(loaded.predict(data, verbose=0), expected)
    (again,) = (one for one in loaded.layers if isinstance(one, ItemEmbedding))
    assert again.representation == config
    assert len(loaded.trainable_variables) == len(model.trainable_variables)
    loaded.compile("adam", "mse")
    loaded.fit(data, labels, verbose=0)
    assert np.abs(loaded.predict(data, verbose=0) - expected).max() > 0


def test_training_moves_the_table(tokenizer):
    layer = ItemEmbedding(SidSpm(rows=ROWS), tokenizer, DIM)
    sids = batch(tokenizer, BATCH)
    layer(sids)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(sids, training=True))
    (table,) = layer.trainable_variables
    gradient = tf.convert_to_tensor(tape.gradient(loss, table)).numpy()
    read = np.zeros(layer.table_rows)
    for rows in tokenizer.rows(sids.numpy()):
        np.add.at(read, rows[rows >= 0], 1)
    np.testing.assert_allclose(gradient, np.repeat(read[:, None], DIM, 1))


def test_in_training_an_item_of_the_hybrid_counts_one_impression_less(tokenizer):
    layer = ItemEmbedding(SidHybrid(rows=ROWS), tokenizer, DIM)
    sids = tokenizer.items.sids[-2:]  # 4 impressions and 1, of Semantic IDs of their own.
    layer(sids)
    for weight in layer.trainable_variables:
        weight.assign(np.random.default_rng(0).normal(size=weight.shape))
    apart = np.abs(layer(sids, training=True).numpy() - layer(sids, training=False).numpy())
    assert apart.max(axis=1).min() > 1e-3
    unseen = np.array([[7, 7, 7]])
    assert unseen.tolist()[0] not in tokenizer.items.sids.tolist()
    np.testing.assert_allclose(layer(unseen, training=True), layer(unseen), rtol=1e-5)


def test_two_layers_in_one_model_have_tables_of_their_own(tokenizer):
    first = ItemEmbedding(SidSpm(rows=ROWS), tokenizer, DIM)
    second = ItemEmbedding("sid_ngram", tokenizer, 2 * DIM)
    model = model_of(first, second)
    shapes = sorted(tuple(one.shape) for one in model.trainable_variables)
    dense = (4 * DIM, 1)
    assert shapes == sorted([(first.table_rows, DIM), (LEVELS * CODES, 2 * DIM), dense, (1,)])


def test_a_subclassed_model_trains_it(tokenizer):
    class Scores(tf_keras.Model):
        def __init__(self):
            super().__init__()
            self.item = ItemEmbedding(SidHybrid(rows=ROWS), tokenizer, DIM)

        def call(self, sids, training=False):
            return tf.reduce_sum(self.item(sids, training=training), axis=-1, keepdims=True)

    model = Scores()
    model.compile(tf_keras.optimizers.Adam(0.05), "mse")
    sids = tf.constant(tokenizer.items.sids)
    labels = np.where(np.arange(40) % 2, 1.0, -1.0)
    losses = model.fit(sids, labels, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


def test_items_are_float32_under_mixed_precision(tokenizer):
    before = tf_keras.mixed_precision.global_policy()
    tf_keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        layer = ItemEmbedding(SidHybrid(rows=ROWS), tokenizer, DIM)
        assert layer(batch(tokenizer, BATCH)).dtype == tf.float32
    finally:
        tf_keras.mixed_precision.set_global_policy(before)


KERAS_3 = "ItemEmbedding is a layer of Keras 2 .* SidTokenizer.rows"


def test_keras_3_is_refused_in_a_functional_model(tokenizer):
    layer = ItemEmbedding(SidSpm(rows=ROWS), tokenizer, DIM)
    sids = keras.Input((LEVELS,), dtype="int32")
    with pytest.raises(TypeError, match=KERAS_3):
        layer(sids)


@pytest.mark.parametrize("how", ["call", "fit"])
def test_keras_3_is_refused_in_a_subclassed_model(tokenizer, how):
    class Scores(keras.Model):
        def __init__(self):
            super().__init__()
            self.item = ItemEmbedding(SidSpm(rows=ROWS), tokenizer, DIM)
            self.score = keras.layers.Dense(1)

        def call(self, sids):
            return self.score(self.item(sids))

    model, sids = Scores(), tokenizer.items.sids
    model.compile("adam", "mse")
    act = {"call": model, "fit": functools.partial(model.fit, y=np.ones(40), verbose=0)}[how]
    with pytest.raises(TypeError, match=KERAS_3):
        act(sids)
    # Outside of it the layer works as before.
    assert model.item(sids).shape == (40, DIM)


@pytest.mark.parametrize(
    ("config", "items", "message"),
    [
        ("sid_spm", np.zeros((2, 4), np.int32), r"sid must be \[..., 3\], not of shape \[2, 4\]"),
        ("sid_spm", np.zeros((2, 3), np.float32), "sid must be integers, not float32"),
        ("random_hash", np.zeros((2,), np.int32), "item_id must be strings, not int32"),
        ("dense", np.zeros((2, 3), np.float32), r"embedding must be \[..., 6\]"),
        ("id_plus_sid", np.zeros((2, 3), np.int32), "reads sid and item_id of an item; give a"),
        ("id_plus_sid", {"sid": np.zeros((2, 3), np.int32)}, "but item_id is missing"),
    ],
)
def test_wrong_input_is_named(tokenizer, config, items, message):
    layer = ItemEmbedding(REGISTRY[config](), tokenizer, DIM)
    with pytest.raises(ValueError, match=message):
        layer(items)


def test_what_cannot_be_a_layer_is_named(tokenizer):
    with pytest.raises(InputError, match="'sid_trigram' is unknown; it is one of random_hash, "):
        ItemEmbedding("sid_trigram", tokenizer)
    with pytest.raises(InputError, match="separate_tables has no meaning in one layer"):
        ItemEmbedding(SidSpm(separate_tables=True), tokenizer)
