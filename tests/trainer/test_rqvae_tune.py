import dataclasses

import numpy as np

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.tune import choose
from semantic_id_ranking.trainer.rqvae.tune import choose_latent
from semantic_id_ranking.trainer.rqvae.tune import measure
from semantic_id_ranking.trainer.rqvae.tune import sizes_for
from semantic_id_ranking.trainer.rqvae.tune import Trial


def trial(levels=4, codes=256, latent=64, error=0.4, unique=0.99, use=1.0):
    return Trial(levels, codes, latent, error, unique, use, seconds=1.0)


def test_the_fewest_codes_that_tell_items_apart():
    trials = [
        trial(3, 256, unique=0.80),
        trial(4, 256, unique=0.96, error=0.40),
        trial(8, 256, unique=0.99, error=0.30),
    ]
    choice = choose(trials, attainable=1.0)
    assert choice.trial == trials[1]
    assert "1024 in all" in choice.reason
    assert "96.0%" in choice.reason


def test_of_equally_many_codes_the_smaller_error():
    trials = [trial(4, 512, error=0.41), trial(8, 256, error=0.38)]
    assert choose(trials, attainable=1.0).trial == trials[1]


def test_items_that_no_quantiser_could_tell_apart_do_not_count():
    trials = [trial(3, 256, unique=0.58), trial(8, 256, unique=0.6)]
    assert choose(trials, attainable=0.6).trial == trials[0]


def test_codes_out_of_use_are_too_many():
    trials = [trial(3, 256, unique=0.80), trial(3, 1024, unique=0.99, use=0.7)]
    choice = choose(trials, attainable=1.0)
    assert choice.trial == trials[0]
    assert "none reaches 95.0%" in choice.reason


def test_few_different_items():
    trials = [trial(3, 256, use=0.2), trial(4, 256, use=0.3)]
    choice = choose(trials, attainable=0.1)
    assert choice.trial == trials[1]
    assert "few different ones" in choice.reason


def test_the_narrowest_latent_that_loses_nearly_nothing():
    wide, middle, narrow = (
        trial(latent=256, error=0.400),
        trial(latent=128, error=0.407),
        trial(latent=64, error=0.450),
    )
    assert choose_latent([wide, middle, narrow]).trial == middle
    assert choose_latent([wide, narrow]).trial == wide
    assert "every narrower latent costs more than 2%" in choose_latent([wide, narrow]).reason


def test_sizes_that_a_small_set_can_fill():
    assert sizes_for(1_000_000)[-1] == (4, 2048)
    assert all(codes <= 300 for _, codes in sizes_for(600))
    assert sizes_for(10) == [(3, 256)]


def test_a_measured_trial():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(400, 8)), np.ones((2, 8))]).astype(np.float32)
    newest = np.arange(402) >= 350
    config = RqVaeConfig(levels=3, codebook_size=16, epochs=2, kmeans_mixtures=200)
    measured = measure(x, newest, dataclasses.replace(config, latent_dim=4))
    assert (measured.levels, measured.codebook_size, measured.latent_dim) == (3, 16, 4)
    assert 0 < measured.relative_error < 1
    # The two equal items share theirs.
    assert 0.5 < measured.unique_fraction <= 400 / 402
    assert measured.rows == 48
