"""Options of the RQ-VAE's recipe."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import KMeans

from semantic_id_ranking.trainer.rqvae.beam_search import beam_codes
from semantic_id_ranking.trainer.rqvae.config import PRESETS
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.initialization import initialize_from_items
from semantic_id_ranking.trainer.rqvae.kmeans import residual_kmeans
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.quantizer import look_up
from semantic_id_ranking.trainer.rqvae.quantizer import residual_quantize
from semantic_id_ranking.trainer.rqvae.sinkhorn import balanced_codes
from semantic_id_ranking.trainer.rqvae.step import TrainingStep
from semantic_id_ranking.trainer.rqvae.train import train

SMALL = RqVaeConfig(levels=3, codebook_size=16, epochs=4, batch_size=64, kmeans_mixtures=500)


def gaussian(rows=480, dim=8, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


def one_step(x, config, factors=(1.0, 0.0)):
    """The model of a training on x, and its step on all of x."""
    model = train(x, x[:1], dataclasses.replace(config, epochs=0)).model
    rows = model.standardized(tf.constant(x)).numpy()
    step = TrainingStep(model, rows, config, total_steps=10)
    numbers = np.stack([np.arange(len(x))] * 2, axis=1).astype(np.int32)
    factors = np.tile(np.array(factors, np.float32), (len(x), 1))
    return model, lambda: step(tf.constant(numbers), tf.constant(factors))


@pytest.mark.parametrize(
    "fields",
    [
        {"gradient": "straight_through"},
        {"reset_dead_codes": "batch"},
        {"sinkhorn_epsilon": 0.01},
        {"beam": 4},
        {"mixup": 0.0, "kmeans_mixtures": 0},
        {"latent_dim": 6},
    ],
    ids=lambda fields: "-".join(f"{name}={value}" for name, value in fields.items()),
)
def test_every_option_learns_from_a_random_start(fields):
    x = gaussian()
    config = dataclasses.replace(
        SMALL, kmeans_iterations=0, epochs=15, network_learning_rate=1e-3, **fields
    )
    untrained = train(x[:400], x[400:], dataclasses.replace(config, epochs=0))
    trained = train(x[:400], x[400:], config)
    assert trained.reconstruction < 0.97 * untrained.reconstruction
    assert np.isfinite(trained.model.codebooks.numpy()).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_what_is_not_given(preset):
    given = RqVaeConfig(preset=preset, levels=2, seed=7)
    assert (given.levels, given.seed) == (2, 7)
    for name, value in PRESETS[preset].items():
        assert name == "levels" or getattr(given, name) == value
    # Written out and read again, as a TFX parameter is, it is the same.
    assert RqVaeConfig(**dataclasses.asdict(given)) == given


@pytest.mark.parametrize("preset", ["papers", ["paper"], None])
def test_what_is_no_preset_is_refused(preset):
    with pytest.raises(ValueError, match="preset"):
        RqVaeConfig(preset=preset)


def test_rq_kmeans_is_residual_kmeans_alone():
    x = gaussian()
    config = dataclasses.replace(RqVaeConfig(preset="rq_kmeans"), levels=2, codebook_size=8)
    training = train(x[:400], x[400:], config)
    assert training.epochs == 0
    np.testing.assert_array_equal(training.model.encoder.kernel, np.eye(8))
    sids = training.model.encode(tf.constant(x)).numpy()
    nearest = residual_quantize(
        training.model.standardized(tf.constant(x)), training.model.codebooks
    )
    np.testing.assert_array_equal(sids, nearest.codes)


def test_a_batch_resets_what_it_does_not_use():
    config = dataclasses.replace(
        SMALL, reset_dead_codes="batch", codebook_learning_rate=1e-9, network_learning_rate=0.0
    )
    x = gaussian(rows=64)
    model, step = one_step(x, config)
    codebooks = model.codebooks.numpy()
    codebooks[1, 5] = 1e4
    model.codebooks.assign(codebooks)
    step()
    replaced = model.codebooks.numpy()[1, 5]
    residuals = model.quantize(tf.constant(x)).residuals[1].numpy()
    assert np.abs(residuals - replaced).max(axis=1).min() < 1e-4


def test_balanced_codes_use_all_codes_alike():
    rng = np.random.default_rng(0)
    # All items are nearest to code 0.
    rows = rng.normal(size=(60, 4)).astype(np.float32)
    codebook = np.concatenate([np.zeros((1, 4)), 6 + rng.normal(size=(2, 4))]).astype(np.float32)
    nearest = balanced_codes(tf.constant(rows), tf.constant(codebook), 1e-4)
    assert set(balanced_codes(tf.constant(rows[:1]), tf.constant(codebook), 1e-4).numpy()) <= {
        0,
        1,
        2,
    }
    balanced = balanced_codes(tf.constant(rows), tf.constant(codebook), 0.05)
    counts = np.bincount(balanced.numpy(), minlength=3)
    assert counts.min() >= 15
    assert len(nearest) == 60


def test_beam_of_one_is_greedy():
    rng = np.random.default_rng(0)
    latents = tf.constant(rng.normal(size=(50, 4)).astype(np.float32))
    codebooks = tf.constant(rng.normal(size=(3, 8, 4)).astype(np.float32))
    greedy = residual_quantize(latents, codebooks).codes
    np.testing.assert_array_equal(beam_codes(latents, codebooks, 1), greedy)


def test_a_beam_as_wide_as_all_prefixes_finds_the_best_codes():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(20, 3)).astype(np.float32)
    codebooks = rng.normal(size=(3, 4, 3)).astype(np.float32)
    every = np.array(list(itertools.product(range(4), repeat=3)))
    sums = sum(codebooks[level][every[:, level]] for level in range(3))
    best = np.square(latents[:, None] - sums).sum(axis=2).argmin(axis=1)
    found = beam_codes(tf.constant(latents), tf.constant(codebooks), 16)
    np.testing.assert_array_equal(found, every[best])


def test_a_wider_beam_leaves_less():
    rng = np.random.default_rng(1)
    latents = tf.constant(rng.normal(size=(200, 6)).astype(np.float32))
    codebooks = tf.constant(0.5 * rng.normal(size=(4, 16, 6)).astype(np.float32))

    def error(beam):
        sums = tf.reduce_sum(look_up(beam_codes(latents, codebooks, beam), codebooks), axis=0)
        return float(tf.reduce_mean(tf.square(latents - sums)))

    assert error(8) < error(2) < error(1)


def test_two_beams_are_two_spaces():
    x = gaussian()
    config = dataclasses.replace(SMALL, epochs=0)
    narrow = train(x[:400], x[400:], config).model.space
    wide = train(x[:400], x[400:], dataclasses.replace(config, beam=4)).model.space
    assert narrow.fingerprint != wide.fingerprint


def test_kmeans_makes_as_many_codes_as_each_level_has():
    codebooks = residual_kmeans(gaussian(), [8, 4, 2], 3, np.random.default_rng(0))
    assert [codebook.shape for codebook in codebooks] == [(8, 8), (4, 8), (2, 8)]


def test_mixtures_are_used_where_items_fill_a_space_and_not_where_they_are_clusters():
    config = dataclasses.replace(SMALL, codebook_size=32, standardize="none")
    rng = np.random.default_rng(0)

    def mixtures_help(x):
        model = RqVae(config, np.zeros(x.shape[1]), np.ones(x.shape[1]))
        return initialize_from_items(model, x[:400], x[400:], config, np.random.default_rng(0))

    assert mixtures_help(gaussian(dim=32))
    centres = 20 * rng.normal(size=(32, 32))
    clusters = centres[rng.integers(0, 32, 480)] + rng.normal(size=(480, 32))
    assert not mixtures_help(clusters.astype(np.float32))


def test_kmeans_leaves_about_what_scikit_learn_does():
    # Clusters, more spread along some axes than along others, as embeddings are.
    rng = np.random.default_rng(0)
    centres = 20 * rng.normal(size=(24, 8)) * 0.6 ** np.arange(8)
    rows = (centres[rng.integers(0, 24, 800)] + rng.normal(size=(800, 8))).astype(np.float32)

    def left(means):
        return np.square(rows[:, None] - means).sum(axis=2).min(axis=1).mean()

    ours = [
        left(residual_kmeans(rows, [24], 4, np.random.default_rng(seed))[0]) for seed in range(5)
    ]
    theirs = [
        left(KMeans(24, init="random", n_init=1, random_state=seed).fit(rows).cluster_centers_)
        for seed in range(5)
    ]
    assert np.mean(ours) < 1.15 * np.mean(theirs)
