"""Embeddings far from all others, and embeddings that are not finite."""

import dataclasses
import logging

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae import analysis
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.export import export
from semantic_id_ranking.trainer.rqvae.outliers import Bounds
from semantic_id_ranking.trainer.rqvae.train import train

CONFIG = RqVaeConfig(kmeans_mixtures=2000, codebook_size=64, levels=3, epochs=1)


@pytest.fixture(scope="module")
def items():
    rows = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def trained(rows, config=CONFIG):
    held_out = np.arange(len(rows)) % 20 == 0
    return train(rows[~held_out], rows[held_out], config)


@pytest.mark.parametrize("row", [7, 20], ids=["in training", "held out"])
@pytest.mark.parametrize("standardize", ["center", "dimension", "none"])
def test_one_outlier_takes_nothing_from_the_others(items, row, standardize, caplog):
    config = dataclasses.replace(CONFIG, standardize=standardize)
    rows = items.copy()
    rows[row] *= 1e6
    unseen = np.random.default_rng(1).normal(size=(300, 8)).astype(np.float32)
    unseen /= np.linalg.norm(unseen, axis=1, keepdims=True)
    codes, errors = [], []
    for data in (items, rows):
        with caplog.at_level(logging.WARNING, logger="absl"):
            training = trained(data, config)
        sids = training.model.encode(tf.constant(unseen))
        codes.append(len(np.unique(sids.numpy()[:, 0])))
        decoded = training.model.decode(sids).numpy()
        errors.append(analysis.relative_error(unseen, decoded, unseen.mean(axis=0)))
        assert training.outlying_items == (data is rows)
        # The error that is reported is that of the others too.
        assert 0.5 * errors[0] < training.reconstruction < 2 * errors[0]
    assert codes[1] > 0.5 * codes[0]
    assert errors[1] < 2 * errors[0]
    assert "1 of 300 embeddings" in caplog.text
    # It still has a Semantic ID.
    assert (training.model.encode(tf.constant(rows[row : row + 1])).numpy() >= 0).all()


def test_ordinary_sets_have_no_outliers(items):
    rng = np.random.default_rng(1)
    zeros = items.copy()
    zeros[:200] = 0
    sets = {
        "unit": items,
        "small": items * 1e-25,
        "large": items * 1e25,
        "far away": 1000 + 1e-3 * items,
        "two thirds zero": zeros,
        "norms over three decades": items * 10 ** rng.uniform(-1.5, 1.5, (300, 1)),
        "a tight cluster and a tenth elsewhere": np.where(
            np.arange(300)[:, None] < 270, 1 + 1e-4 * items, items
        ),
        "one": items[:1],
        "all the same": np.tile(items[:1], (50, 1)),
    }
    for name, rows in sets.items():
        rows = rows.astype(np.float32)
        assert not Bounds.measure(rows).outlying(rows).any(), name


def test_outliers_of_a_large_set_are_found_beyond_the_sample(items):
    rows = np.tile(items, (100, 1))
    rows[[5, 29_999]] *= 1e4
    assert np.flatnonzero(Bounds.measure(rows).outlying(rows)).tolist() == [5, 29_999]


def test_levels_that_use_hardly_a_code_are_idle(caplog):
    assert analysis.idle_levels([0.09, 0.11, 0.25], 256, 10_000) == [0]
    # Twenty items cannot use more than twenty codes.
    assert analysis.idle_levels([20 / 256, 1 / 256, 1.0], 256, 20) == [1]
    with caplog.at_level(logging.WARNING, logger="absl"):
        trained(np.tile(np.float32([[1, 2, 3]]), (90, 1)))
    assert "level 1 uses" in caplog.text


def test_the_median_error_does_not_see_an_odd_item():
    x = np.array([[0.0], [2.0], [4.0], [6.0], [1000.0]])
    off = np.array([[1.0], [1.0], [5.0], [7.0], [0.0]])
    # Errors 1, 1, 1, 1, 1e6; spreads around 3 of 9, 1, 1, 9 and 997².
    assert analysis.median_relative_error(x, off, np.array([3.0])) == pytest.approx(1 / 9)
    assert analysis.relative_error(x, off, np.array([3.0])) > 0.9


@pytest.fixture(scope="module", params=["linear", "beam", "narrow", "bfloat16"])
def encoder(request, items, tmp_path_factory):
    """The signature `encode` by each search for codes, and the model."""
    options = {
        "beam": {"beam": 2},
        "narrow": {"latent_dim": 3},
    }
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "bfloat16":
            name = "semantic_id_ranking.trainer.rqvae.export.may_search_in_bfloat16"
            patch.setattr(name, lambda model, sample: True)
        config = dataclasses.replace(CONFIG, epochs=0, **options.get(request.param, {}))
        model = trained(items, config).model
        folder = str(tmp_path_factory.mktemp("encoder"))
        export(model, folder, items)
    # The signature does not keep the model alive.
    return tf.saved_model.load(folder), model


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "XLA"])
def test_an_embedding_that_is_no_number_has_no_code(encoder, items, jit):
    loaded, model = encoder
    rows = items.copy()
    bad = [0, 3, 150, 299]
    rows[0, 0] = np.nan
    rows[3, 7] = np.inf
    rows[150, 2] = -np.inf
    rows[299, [1, 2]] = np.inf, -np.inf
    encode = model.encode if jit else loaded.signatures["encode"]
    if jit:
        sids = tf.function(encode, jit_compile=True)(tf.constant(rows)).numpy()
    else:
        sids = encode(embedding=tf.constant(rows))["sid"].numpy()
    assert (sids[bad] == -1).all()
    good = np.setdiff1d(np.arange(len(rows)), bad)
    expected = loaded.signatures["encode"](embedding=tf.constant(items))["sid"].numpy()
    assert (sids[good] == expected[good]).mean() > 0.99
