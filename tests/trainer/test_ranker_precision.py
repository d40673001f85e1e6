import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.optimizers import create_optimizers
from tests.trainer import ranker_cases as cases

HALVES = {"mixed_float16": tf.float16, "mixed_bfloat16": tf.bfloat16}


def config(precision, **changes):
    return dataclasses.replace(cases.SMALL, precision=precision, **changes)


def batch():
    inputs = cases.features([[0, 1], [1, 2], [3, 3]], [[[1, 1]], [[2, 2]], [[2, 0]]])
    return inputs | {"label_click": tf.constant([1.0, 0.0, 1.0])}


def compiled(precision, **changes):
    model = cases.ranker(config=config(precision, **changes))
    model.compile(*create_optimizers(config(precision, **changes)))
    return model


@pytest.mark.parametrize("precision", HALVES)
@pytest.mark.parametrize("changes", [{}, {"bottom": "mmoe"}, {"history_pooling": "attention"}])
def test_layers_multiply_in_half_and_all_else_is_float32(precision, changes):
    model = cases.ranker(config=config(precision, **changes))
    graph = tf.function(model).get_concrete_function(batch()).graph
    products = {op.inputs[0].dtype for op in graph.get_operations() if op.type == "MatMul"}
    # The keys of Semantic IDs.
    products.discard(tf.int64)
    # The last product of a head, an expert's gate and the attention are not halved.
    assert products == {HALVES[precision], tf.float32}
    crosses = [op for op in graph.get_operations() if op.type == "MatMul" and "cross" in op.name]
    assert {op.inputs[0].dtype for op in crosses} == {HALVES[precision]}
    assert {weight.dtype for weight in model.weights} == {tf.float32}
    assert model(batch())["click"].dtype == tf.float32
    exact = cases.ranker(config=config("float32", **changes))(batch())["click"]
    np.testing.assert_allclose(model(batch())["click"], exact, atol=5e-3)


def test_the_policy_of_other_models_stays():
    compiled("mixed_bfloat16").train_step(batch())
    assert tf.keras.mixed_precision.global_policy().name == "float32"
    assert tf.keras.layers.Dense(1)(tf.zeros([1, 1])).dtype == tf.float32


@pytest.mark.parametrize("precision", HALVES)
@pytest.mark.parametrize("table_optimizer", ["adagrad", "adam"])
def test_steps_are_those_of_float32_nearly(precision, table_optimizer):
    # The step of an adaptive optimizer keeps its size if the gradient is scaled: the slots tell.
    changes = {"table_optimizer": table_optimizer}
    ours, exact = compiled(precision, **changes), compiled("float32", **changes)
    for model in (ours, exact):
        for _ in range(2):
            model.train_step(batch())
    for name in ("optimizer", "table_optimizer"):
        found, expected = (
            [slot.numpy() for slot in getattr(model, name).variables if slot.shape.rank == 2]
            for model in (ours, exact)
        )
        assert expected
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=0.05 * np.abs(other).max())


def test_an_overflow_anywhere_skips_the_step_of_both_optimizers():
    model = compiled("mixed_float16", table_optimizer="adam")
    optimizers = (model.optimizer, model.table_optimizer)
    inputs = batch()
    model.train_step(inputs)
    before = [weight.numpy() for weight in model.trainable_variables]
    scales = [float(one.loss_scale) for one in optimizers]
    # Only the head's float32 kernel, which is dense, gets an infinite gradient.
    kernel = next(w for w in model.trainable_variables if w.shape == (4, 1))
    kernel.assign(np.full((4, 1), 1e4))
    broken = [weight.numpy() for weight in model.trainable_variables]
    model.train_step(inputs)
    for old, weight in zip(broken, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert [float(one.loss_scale) for one in optimizers] == [scale / 2 for scale in scales]
    for weight, old in zip(model.trainable_variables, before, strict=True):
        weight.assign(old)
    model.train_step(inputs)
    for table in model.representation.tables:
        assert np.abs(table.numpy() - before[0]).max() > 0
