import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.bfloat16_search import Bfloat16Search
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.fast_encoder import FastEncoder
from semantic_id_ranking.trainer.rqvae.processor import processor
from semantic_id_ranking.trainer.rqvae.train import train


def exact(rows, codebook):
    """The definition in float64; of equally near codes the lowest."""
    differences = rows.astype(np.float64)[:, None] - codebook.astype(np.float64)
    return np.square(differences).sum(axis=2).argmin(axis=1)


def search(rows, codebook):
    codes, left = Bfloat16Search(codebook)(tf.constant(rows))
    if np.isfinite(rows).all():
        size = np.abs(codebook).max()
        np.testing.assert_allclose(left, rows - codebook[codes.numpy()], atol=1e-6 * size)
    return codes.numpy()


@pytest.mark.parametrize("codes", [2, 15, 16, 17, 100, 256])
def test_codes_are_the_nearest_at_any_number_of_codes(codes):
    rng = np.random.default_rng(codes)
    rows = rng.normal(size=(60, 8)).astype(np.float32)
    codebook = rng.normal(size=(codes, 8)).astype(np.float32)
    np.testing.assert_array_equal(search(rows, codebook), exact(rows, codebook))


def test_codes_nearer_to_each_other_than_bfloat16_can_tell_are_told_apart():
    # The codes lie around a few centres, so close that most rows have four at almost one distance.
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(16, 12)) * 3
    codebook = np.repeat(centres, 4, axis=0) + 0.05 * rng.normal(size=(64, 12))
    rows = np.repeat(centres, 10, axis=0) + 0.05 * rng.normal(size=(160, 12))
    rows, codebook = rows.astype(np.float32), codebook.astype(np.float32)
    codes = search(rows, codebook)
    np.testing.assert_array_equal(codes, exact(rows, codebook))
    # It is the test that it claims to be: bfloat16 alone gets many of them wrong.
    rounded = tf.cast(tf.cast(codebook, tf.bfloat16), tf.float32).numpy()
    assert (exact(rows, rounded) != codes).mean() > 0.05


def test_a_trained_space_keeps_its_codes():
    # Near-ties as they are, on a few thousand items that fill a space.
    x = np.random.default_rng(0).normal(size=(3000, 32)).astype(np.float32)
    config = RqVaeConfig(levels=3, codebook_size=128, epochs=1, kmeans_mixtures=0)
    model = train(x[:2000], x[2000:2100], config).model
    assert FastEncoder(model, Bfloat16Search).agreement(x) >= 0.9995


@pytest.mark.parametrize("spread", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("decay", [0.0, 1.5])
def test_a_clear_lead_is_never_wrong(spread, decay):
    # Of norms that differ much, and of few dimensions that matter, where rounding hurts most.
    rng = np.random.default_rng(4)
    size = np.arange(1, 65) ** -decay
    rows = (rng.normal(size=(2000, 64)) * size).astype(np.float32)
    norms = rng.lognormal(0, spread, size=(256, 1))
    codebook = (rng.normal(size=(256, 64)) * size * norms).astype(np.float32)
    fast = Bfloat16Search(codebook)
    clear = fast.clear_leads(tf.constant(rows)).numpy()
    codes = fast(tf.constant(rows))[0].numpy()
    np.testing.assert_array_equal(codes[clear], exact(rows, codebook)[clear])
    # Of a world without odd norms and dimensions most rows have one.
    assert clear.mean() > 0.7 or spread or decay


def test_the_share_of_clear_leads_is_counted_over_all_levels():
    # Rows that are codes of the first level leave nothing, and nothing is as near to all zeros.
    x = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32) * 5
    model = train(x, x[:10], RqVaeConfig(levels=2, codebook_size=16, epochs=0)).model
    codebooks = np.zeros((2, 16, 8), np.float32)
    codebooks[0] = 10 * np.eye(16, 8) - 10 * np.eye(16, 8, -8)
    model.codebooks.assign(codebooks)
    latents = np.repeat(codebooks[0], 3, axis=0)
    items = model.mean + model.scale * tf.linalg.matmul(
        latents - model.encoder.bias, tf.linalg.pinv(model.encoder.kernel)
    )
    assert FastEncoder(model, Bfloat16Search).clear_share(items.numpy()) == 0.5


@pytest.mark.parametrize("offset", [0.0, 10.0, 1000.0])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_codes_are_the_nearest_at_any_offset_and_scale(offset, scale):
    rng = np.random.default_rng(1)
    rows = (scale * (offset + rng.normal(size=(50, 6)))).astype(np.float32)
    codebook = (scale * (offset + rng.normal(size=(40, 6)))).astype(np.float32)
    np.testing.assert_array_equal(search(rows, codebook), exact(rows, codebook))


def test_of_equally_near_codes_the_lowest_is_found():
    codebook = np.zeros((40, 2), np.float32)
    codebook[[3, 5, 21, 37]] = 2.0
    rows = np.array([[2, 2], [0, 0], [2.5, 2]], np.float32)
    assert search(rows, codebook).tolist() == [3, 0, 3]


def test_of_a_codebook_of_equal_codes_the_first_code_is_found():
    assert search(np.ones((9, 3), np.float32), np.ones((64, 3), np.float32)).tolist() == [0] * 9


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_row_that_is_not_finite_spoils_no_other(bad):
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(5, 4)).astype(np.float32)
    codebook = rng.normal(size=(20, 4)).astype(np.float32)
    expected = exact(rows, codebook)
    rows[2, 1] = bad
    codes = search(rows, codebook)
    assert 0 <= codes[2] < 20
    np.testing.assert_array_equal(np.delete(codes, 2), np.delete(expected, 2))


def test_no_rows():
    assert search(np.zeros((0, 4), np.float32), np.eye(4, dtype=np.float32)).shape == (0,)


def test_the_processor_is_read_from_the_kernel(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text(
        "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz: x\nflags\t\t: fpu amx_bf16\n\n"
    )
    assert processor(str(path)) == ("Some CPU @ 2.0GHz: x", {"fpu", "amx_bf16"})
    assert processor(str(tmp_path / "none")) == ("", frozenset())
