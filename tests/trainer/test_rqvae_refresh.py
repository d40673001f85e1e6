"""Training that goes on from an earlier RQ-VAE: what stays, what improves, what is refused."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.export import export
from semantic_id_ranking.trainer.rqvae.loss import rqvae_loss
from semantic_id_ranking.trainer.rqvae.restore import restore
from semantic_id_ranking.trainer.rqvae.train import train

CONFIG = RqVaeConfig(
    levels=3, codebook_size=16, epochs=8, batch_size=64, kmeans_mixtures=1000, kmeans_iterations=5
)
RNG = np.random.default_rng(0)
CENTRES = 2 * RNG.normal(size=(24, 8))


def items(count, clusters):
    """Items around the first of the centres."""
    return (CENTRES[RNG.integers(0, clusters, count)] + RNG.normal(size=(count, 8))).astype("f4")


# The earlier space knows eighteen of twenty-four clusters.
OLD, NEW, UNSEEN = items(600, 18), items(600, 24), items(200, 24)


def error(model, embeddings):
    decoded = model.decode(model.encode(embeddings)).numpy()
    return np.square(embeddings - decoded).sum() / np.square(embeddings - NEW.mean(axis=0)).sum()


@pytest.fixture(scope="module")
def earlier():
    return train(OLD[:560], OLD[560:], CONFIG).model


@pytest.fixture(scope="module")
def refreshed(earlier):
    everything = np.concatenate([OLD[:560], NEW])
    return train(everything, UNSEEN, CONFIG, start=earlier, keep=np.arange(1160) < 560)


def test_a_refresh_keeps_ids_and_describes_new_items_nearly_as_training_from_nothing(
    earlier, refreshed
):
    anew = train(np.concatenate([OLD[:560], NEW]), UNSEEN, CONFIG).model
    before, after = earlier.encode(OLD[:560]).numpy(), refreshed.model.encode(OLD[:560]).numpy()
    kept = np.cumprod(before == after, axis=1).mean(axis=0)
    np.testing.assert_allclose(refreshed.kept, kept)
    assert kept[0] > 0.8
    assert kept[1] > 0.5
    assert error(refreshed.model, UNSEEN) < 0.8 * error(earlier, UNSEEN)
    assert error(refreshed.model, UNSEEN) < 1.05 * error(anew, UNSEEN)
    # Names alone are not kept by training from nothing.
    assert (anew.encode(OLD[:560]).numpy()[:, 0] == before[:, 0]).mean() < 0.3


def test_the_earlier_one_stays_and_the_networks_with_it(earlier, refreshed):
    assert earlier.space.fingerprint != refreshed.model.space.fingerprint
    for before, after in zip(earlier.weights()[:-1], refreshed.model.weights()[:-1], strict=True):
        np.testing.assert_array_equal(before.numpy(), after.numpy())


def test_with_nothing_to_keep_fewer_ids_stay(earlier, refreshed):
    free = train(NEW, UNSEEN, CONFIG, start=earlier, keep=np.zeros(600, bool))
    assert free.kept == [0.0] * 3
    before = earlier.encode(OLD).numpy()
    same = [(m.encode(OLD).numpy() == before).all(axis=1) for m in (free.model, refreshed.model)]
    assert same[0].mean() < same[1].mean()


def test_given_codes_take_part_in_the_loss_and_become_nearest(earlier):
    rows = earlier.standardized(tf.constant(OLD[:64]))
    plain = rqvae_loss(earlier, rows, CONFIG)
    same = rqvae_loss(earlier, rows, CONFIG, plain.codes)
    np.testing.assert_allclose(same.loss, plain.loss, rtol=1e-6)
    free = rqvae_loss(earlier, rows, CONFIG, tf.fill(plain.codes.shape, -1))
    np.testing.assert_allclose(free.loss, plain.loss, rtol=1e-6)
    # Another last code for the first item: by hand, in NumPy.
    codes, codebooks = plain.codes.numpy().copy(), earlier.codebooks.numpy()
    codes[0, 2] = (codes[0, 2] + 1) % 16
    given = np.full_like(codes, -1)
    given[0] = codes[0]
    found = rqvae_loss(earlier, rows, CONFIG, tf.constant(given))
    np.testing.assert_array_equal(found.codes.numpy(), codes)
    residual = plain.residuals[2].numpy()[0]
    nearest, other = np.square(
        residual - codebooks[2][[plain.codes.numpy()[0, 2], codes[0, 2]]]
    ).sum(axis=1)
    per_number = 64 * 8
    decoded = [
        np.square(
            rows.numpy()[0]
            - earlier.decoder(tf.constant(codebooks[np.arange(3), c].sum(axis=0)[None])).numpy()
        ).sum()
        for c in (plain.codes.numpy()[0], codes[0])
    ]
    expected = (
        decoded[1] - decoded[0] + (CONFIG.codebook_weight + CONFIG.beta + 4.0) * (other - nearest)
    ) / per_number
    assert float(found.loss - plain.loss) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("field", ["levels", "codebook_size", "latent_dim"])
def test_other_sizes_are_refused(earlier, field):
    config = dataclasses.replace(CONFIG, **{field: 4})
    with pytest.raises(InputError, match="a refresh keeps the sizes"):
        train(NEW, UNSEEN, config, start=earlier)


def test_embeddings_of_another_length_are_refused(earlier):
    with pytest.raises(InputError, match=r"embeddings of 5 numbers, but the earlier RQ-VAE .* 8"):
        train(NEW[:, :5], UNSEEN[:, :5], CONFIG, start=earlier)


def test_an_exported_model_is_restored(earlier, tmp_path):
    export(earlier, str(tmp_path / "model"))
    restored = restore(str(tmp_path / "model"))
    assert restored.space == earlier.space
    with pytest.raises(InputError, match=r"rqvae\.beam 3; set the beam"):
        restore(str(tmp_path / "model"), beam=3)
