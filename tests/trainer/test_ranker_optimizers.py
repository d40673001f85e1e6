import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.optimizers import create_optimizers
from semantic_id_ranking.trainer.ranker.optimizers import TableAdagrad
from semantic_id_ranking.trainer.ranker.representations import item_representation
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations import SidNgram
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests.trainer import ranker_cases as cases


def test_only_kernels_decay():
    config = dataclasses.replace(cases.SMALL, learning_rate=0.1, weight_decay=0.5)
    layer = SidNgram(rows=40).create(config.embedding_dim, SidTokenizer(cases.SPACE))
    model = cases.ranker(config=config, layer=layer, context=ContextSpec({"context_tab": 3}))
    owned = {id(table) for table in model.weights_by_optimizer()[1]}
    kernels = 0
    for is_table, optimizer in zip((False, True), create_optimizers(config), strict=True):
        weights = [w for w in model.trainable_variables if (id(w) in owned) == is_table]
        for weight in weights:
            weight.assign(tf.ones_like(weight))
        optimizer.apply_gradients([(tf.zeros_like(w), w) for w in weights])
        for weight in weights:
            # Of a gradient of zero, only the decay is left: 1 - 0.1 * 0.5.
            decays = not is_table and weight.shape.rank == 2
            kernels += decays
            np.testing.assert_allclose(weight, np.full(weight.shape, 0.95 if decays else 1.0))
    # A cross layer, one shared layer, two of the head, the map from context to outputs.
    assert kernels == 5


@pytest.mark.parametrize("sparse", [False, True])
def test_table_adagrad_by_a_loop(sparse):
    rng = np.random.default_rng(0)
    table = tf.Variable(rng.normal(size=(5, 2)).astype(np.float32))
    expected, squares = table.numpy().astype(float), np.full((5, 2), 0.5)
    optimizer = TableAdagrad(0.1, 0.5)
    for _ in range(3):
        rows = rng.permutation(5)[:3]
        values = rng.normal(size=(3, 2)).astype(np.float32)
        gradient = tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([5, 2]))
        given = gradient if sparse else tf.convert_to_tensor(gradient)
        optimizer.apply_gradients([(given, table)])
        for row, value in zip(rows, values, strict=True):
            squares[row] += value**2
            expected[row] -= 0.1 * value / np.sqrt(squares[row])
    np.testing.assert_allclose(table, expected, rtol=1e-5)


@pytest.mark.parametrize(("kind", "moved"), [("adagrad", [1]), ("adam", [1, 2])])
def test_adagrad_moves_the_rows_of_a_batch_and_adam_those_before_too(kind, moved):
    config = dataclasses.replace(cases.SMALL, table_optimizer=kind, table_learning_rate=0.1)
    _, optimizer = create_optimizers(config)
    table = tf.Variable(tf.zeros([4, 3]))
    for row in (2, 1):
        before = table.numpy()
        optimizer.apply_gradients(
            [(tf.IndexedSlices(tf.ones([1, 3]), tf.constant([row]), tf.constant([4, 3])), table)]
        )
    rows = np.flatnonzero(np.abs(table.numpy() - before).max(axis=1))
    np.testing.assert_array_equal(rows, moved)


@pytest.mark.parametrize("name", [name for name in REGISTRY if not name.startswith("dense")])
@pytest.mark.parametrize("separate", [False, True])
def test_a_step_looks_up_each_row_of_a_large_table_once(name, separate, monkeypatch):
    """The precondition of TableAdagrad."""
    monkeypatch.setattr(item_representation, "_SMALL_ROWS_AN_IMPRESSION", 0)
    sids = np.indices([cases.CODES] * cases.LEVELS).reshape(cases.LEVELS, -1).T
    counts = np.arange(1, len(sids) + 1)
    names = [f"i{i}" for i in range(len(sids))]
    codebooks = np.ones((2, 4, 1), np.float32)
    layer = REGISTRY[name](rows=40, separate_tables=separate).create(
        cases.SMALL.embedding_dim, SidTokenizer.fit(sids, counts, cases.SPACE, 40, names, codebooks)
    )
    context = ContextSpec({"context_tab": 3}, ())
    model = Ranker(layer, context, (cases.CLICK,), cases.SMALL)
    rng = np.random.default_rng(0)
    chosen = rng.integers(-1, len(sids), (8, 5))
    sid = np.where(chosen[..., None] >= 0, sids[chosen], -1)
    ids = np.array([f"i{i}" if i >= 0 else "" for i in chosen.ravel()]).reshape(8, 5)
    inputs = {"context_tab": tf.constant(rng.integers(0, 3, 8))}
    for field, values in (("sid", sid), ("item_id", ids)):
        inputs |= {
            f"candidate_{field}": tf.constant(values[:, 0]),
            f"current_{field}": tf.constant(values[:, 1]),
            f"history_{field}": tf.constant(values[:, 2:]),
        }
    model(inputs)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs)["click"])
    sparse = [
        one
        for one in tape.gradient(loss, model.weights_by_optimizer()[1])
        if isinstance(one, tf.IndexedSlices)
    ]
    for gradient in sparse:
        moves = np.abs(gradient.values.numpy()).max(axis=1) > 0
        rows = gradient.indices.numpy()[moves]
        assert len(rows) == len(set(rows)) > 0
    # More than that of the context.
    assert len(sparse) > 1
