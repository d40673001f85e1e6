import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.loss import rqvae_loss
from semantic_id_ranking.trainer.rqvae.model import RqVae


def model_of(codebooks, **fields):
    codebooks = np.array(codebooks, np.float32)
    levels, codes, dim = codebooks.shape
    config = RqVaeConfig(levels=levels, codebook_size=codes, **fields)
    model = RqVae(config, np.zeros(dim), np.ones(dim))
    model.codebooks.assign(codebooks)
    return model, config


def loss_of(model, config, rows):
    return rqvae_loss(model, tf.constant(rows, tf.float32), config)


def test_loss_by_hand():
    # One level, codes 0 and 3, identity networks. x = 2 takes 3: the reconstruction is off by 1,
    # and so are code and residual: 1 + 0.1 * 1 + 0.25 * 1.
    model, config = model_of([[[0.0], [3.0]]])
    with tf.GradientTape() as tape:
        loss, reconstruction, codes, _ = loss_of(model, config, [[2.0]])
    assert codes.numpy().tolist() == [[1]]
    assert float(reconstruction) == pytest.approx(1.0)
    assert float(loss) == pytest.approx(1.35)
    # The code learns from its own loss, 0.1 * 2 * (3 - 2), and the reconstruction, 2 * (3 - 2).
    gradient = tape.gradient(loss, model.codebooks)
    np.testing.assert_allclose(tf.convert_to_tensor(gradient), [[[0.0], [2.2]]], rtol=1e-6)


def test_the_papers_gradient_stops_at_the_codes():
    # Only the code's own loss is left: 1.0 * 2 * (3 - 2).
    model, config = model_of(
        [[[0.0], [3.0]]], gradient="straight_through", codebook_weight=1.0, beta=0.0
    )
    with tf.GradientTape(persistent=True) as tape:
        loss = loss_of(model, config, [[2.0]]).loss
    of_codes = tf.convert_to_tensor(tape.gradient(loss, model.codebooks))
    np.testing.assert_allclose(of_codes, [[[0.0], [2.0]]], rtol=1e-6)
    # z = 2 W with W = 1. Straight through, d(3 - 2)²/dW = 2 * 1 * 2.
    assert float(tape.gradient(loss, model.encoder.kernel)[0, 0]) == pytest.approx(4.0)


def test_codes_and_residuals_are_those_of_the_nearest_codes():
    rng = np.random.default_rng(0)
    model, config = model_of(rng.normal(size=(3, 8, 4)))
    rows = rng.normal(size=(20, 4)).astype(np.float32)
    result = loss_of(model, config, rows)
    expected = model.quantize(tf.constant(rows))
    np.testing.assert_array_equal(result.codes, expected.codes)
    np.testing.assert_allclose(tf.stack(result.residuals), tf.stack(expected.residuals))
