import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae import train as train_lib
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.dead_codes import reset_dead_codes
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.model import standardization
from semantic_id_ranking.trainer.rqvae.train import train

CONFIG = RqVaeConfig(
    levels=3,
    codebook_size=16,
    epochs=6,
    batch_size=64,
    kmeans_mixtures=1000,
    kmeans_iterations=5,
)


def gaussian(rows=480, dim=8, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


def unit_norm():
    x = gaussian() + 3
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def constant_column():
    x = gaussian()
    x[:, 3] = 7.7
    return x


WORLDS = {
    "gaussian": gaussian(),
    "unit norm": unit_norm(),
    "unscaled": gaussian() * 1000 + 5000,
    "low rank": gaussian(dim=2) @ gaussian(rows=2, dim=8, seed=1),
    "duplicated": np.repeat(gaussian(rows=96), 5, axis=0),
    "constant column": constant_column(),
}


@pytest.mark.parametrize("standardize", ["center", "dimension"])
@pytest.mark.parametrize("world", WORLDS)
def test_no_collapse(world, standardize):
    x = WORLDS[world]
    config = dataclasses.replace(CONFIG, standardize=standardize)
    training = train(x[:400], x[400:], config)
    # 400 items are 25 a code.
    assert min(training.codebook_use) >= 0.9
    assert training.reconstruction < 0.75
    assert np.isfinite(training.model.codebooks.numpy()).all()


def test_tight_clusters_use_every_code():
    # Mixtures of far-away clusters lie where no item ever is: codes there would be wasted.
    rng = np.random.default_rng(0)
    centres = 20 * rng.normal(size=(10, 8))
    x = (centres[rng.integers(0, 10, 480)] + rng.normal(size=(480, 8))).astype(np.float32)
    training = train(x[:400], x[400:], CONFIG)
    assert min(training.codebook_use) >= 0.9


def test_training_improves_on_its_start():
    # Without k-means the codebooks are random items, and all that is learnt is learnt by gradients.
    x = gaussian()
    config = dataclasses.replace(CONFIG, kmeans_iterations=0, epochs=20)
    start = train(x[:400], x[400:], dataclasses.replace(config, codebook_learning_rate=1e-9))
    longer = train(x[:400], x[400:], config)
    assert longer.reconstruction < 0.9 * start.reconstruction


def test_a_dead_code_comes_alive(monkeypatch):
    x = gaussian()

    def initialize_with_a_dead_code(model, *arguments):
        mixtures = initialize_from_items(model, *arguments)
        codebooks = model.codebooks.numpy()
        codebooks[1, 5] = 1e4
        model.codebooks.assign(codebooks)
        return mixtures

    initialize_from_items = train_lib.initialize_from_items
    monkeypatch.setattr(train_lib, "initialize_from_items", initialize_with_a_dead_code)
    alive = train(x[:400], x[400:], CONFIG).model
    dead = train(x[:400], x[400:], dataclasses.replace(CONFIG, reset_dead_codes="never")).model
    assert np.abs(alive.codebooks.numpy()[1, 5]).max() < 10
    assert 5 in alive.encode(tf.constant(x)).numpy()[:, 1]
    assert np.abs(dead.codebooks.numpy()[1, 5]).max() > 9000
    assert 5 not in dead.encode(tf.constant(x)).numpy()[:, 1]


def test_a_dead_code_is_reset_to_a_residual_of_its_level():
    x = gaussian(rows=50)
    model = train(x, x, dataclasses.replace(CONFIG, epochs=1)).model
    used = np.ones((3, 16), bool)
    used[2, 4] = False
    before = model.codebooks.numpy()
    probe = model.standardized(tf.constant(x))
    reset_dead_codes(model, probe, np.random.default_rng(0), used)
    after = model.codebooks.numpy()
    residuals = model.quantize(tf.constant(x)).residuals[2].numpy()
    # Levels 0 and 1 did not change, so the residuals that level 2 sees did not either.
    assert np.abs(residuals - after[2, 4]).max(axis=1).min() < 1e-5
    after[2, 4] = before[2, 4]
    np.testing.assert_array_equal(after, before)


def test_stops_when_the_reconstruction_is_flat():
    x = gaussian()
    config = dataclasses.replace(CONFIG, epochs=50, early_stop_patience=2, early_stop_min_delta=0.9)
    assert train(x[:400], x[400:], config).epochs == 2


def test_the_best_epoch_is_kept():
    x = gaussian()
    wild = dataclasses.replace(CONFIG, codebook_learning_rate=50.0, early_stop_patience=9)
    training = train(x[:400], x[400:], wild)
    kept = train_lib._error(training.model, x[400:], x[:400].mean(axis=0))
    assert kept == pytest.approx(training.reconstruction, rel=1e-5)
    assert kept < 1


def test_the_seed_decides():
    x = gaussian()
    runs = [
        train(x[:400], x[400:], dataclasses.replace(CONFIG, seed=seed, epochs=2)).model.space
        for seed in (0, 0, 1)
    ]
    assert runs[0] == runs[1]
    assert runs[0].fingerprint != runs[2].fingerprint


def test_standardization_by_hand():
    x = np.array([[1.0, 10, 7], [3, 30, 7]])
    mean, scale = standardization(x, "dimension")
    assert mean.tolist() == [2, 20, 7]
    assert scale.tolist() == [1, 10, 1]
    mean, scale = standardization(x, "center")
    # Deviations 1, 10 and 0: their mean square is 101 / 3.
    np.testing.assert_allclose(scale, np.sqrt(101 / 3))
    assert standardization(x, "none")[0].tolist() == [0, 0, 0]
    assert standardization(np.full((4, 1), 0.1), "center")[1].tolist() == [1]


def test_a_narrow_latent_keeps_the_directions_that_vary():
    # All variance is in the last two of eight dimensions: a truncated identity would miss it.
    x = np.zeros((480, 8), np.float32)
    x[:, 6:] = gaussian(dim=2)
    config = dataclasses.replace(CONFIG, latent_dim=2)
    training = train(x[:400], x[400:], config)
    assert training.reconstruction < 0.05


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_training_improves_unstandardised_items_of_any_scale(scale):
    x = gaussian() * np.float32(scale)
    config = dataclasses.replace(CONFIG, standardize="none", kmeans_iterations=0, epochs=20)
    start = train(x[:400], x[400:], dataclasses.replace(config, codebook_learning_rate=1e-9))
    longer = train(x[:400], x[400:], config)
    assert longer.reconstruction < 0.9 * start.reconstruction


def test_a_lone_validation_item_is_measured_against_the_training_mean():
    model = RqVae(RqVaeConfig(levels=1, codebook_size=2), np.zeros(1), np.ones(1))
    model.codebooks.assign([[[0.0], [3.0]]])
    # 2 is taken for 3, and lies 4 from a mean of -2: 1 / 16.
    error = train_lib._error(model, np.array([[2.0]], np.float32), np.array([-2.0]))
    assert error == pytest.approx(1 / 16)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_an_error(bad):
    x = gaussian()
    x[7, 2] = bad
    with pytest.raises(ValueError, match="embedding 7 of the training items"):
        train(x[:400], x[400:], CONFIG)


def test_no_items_is_an_error():
    with pytest.raises(ValueError, match="no items"):
        train(np.empty((0, 3)), np.empty((0, 3)), CONFIG)


def test_logs_for_tensorboard(tmp_path):
    x = gaussian()
    train(x[:400], x[400:], dataclasses.replace(CONFIG, epochs=2), str(tmp_path))
    (file,) = tmp_path.glob("events*")
    tags = {
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    assert tags == {"loss", "reconstruction", *(f"codebook_use/{level}" for level in range(3))}
