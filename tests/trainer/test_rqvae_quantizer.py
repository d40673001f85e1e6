import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.kmeans import residual_kmeans
from semantic_id_ranking.trainer.rqvae.mixtures import draw_mixtures
from semantic_id_ranking.trainer.rqvae.mixtures import mix
from semantic_id_ranking.trainer.rqvae.quantizer import look_up
from semantic_id_ranking.trainer.rqvae.quantizer import map_slices
from semantic_id_ranking.trainer.rqvae.quantizer import nearest_codes
from semantic_id_ranking.trainer.rqvae.quantizer import residual_quantize
from semantic_id_ranking.trainer.rqvae.quantizer import SLICE_ROWS


def loop(latents, codebooks):
    """The definition, one item and one level at a time, in float64."""
    codes = []
    for residual in latents.astype(np.float64):
        sid = []
        for codebook in codebooks.astype(np.float64):
            distances = [((residual - code) ** 2).sum() for code in codebook]
            sid.append(int(np.argmin(distances)))
            residual = residual - codebook[sid[-1]]
        codes.append(sid)
    return codes


def test_a_hand_worked_residual():
    # (5, 1) is nearest to (4, 0), which leaves (1, 1), nearest to (1, 2), which leaves (0, -1).
    codebooks = tf.constant([[[0.0, 0], [4, 0]], [[1, 2], [-3, 0]]])
    result = residual_quantize(tf.constant([[5.0, 1]]), codebooks)
    assert result.codes.numpy().tolist() == [[1, 0]]
    assert result.quantized.numpy().tolist() == [[5, 2]]
    assert [r.numpy().tolist() for r in result.residuals] == [[[5, 1]], [[1, 1]]]


def test_codes_equal_the_loop():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(200, 6)).astype(np.float32)
    codebooks = rng.normal(size=(4, 16, 6)).astype(np.float32)
    result = residual_quantize(tf.constant(latents), tf.constant(codebooks))
    assert result.codes.numpy().tolist() == loop(latents, codebooks)


def test_of_equally_near_codes_the_lowest():
    codebook = tf.constant([[2.0], [0.0], [2.0]])
    assert nearest_codes(tf.constant([[1.0], [2.0]]), codebook).numpy().tolist() == [0, 0]


def test_look_up_is_level_by_level():
    codebooks = tf.constant([[[1.0], [2.0]], [[10.0], [20.0]]])
    vectors = look_up(tf.constant([[1, 0], [0, 1]]), codebooks)
    assert vectors.numpy().tolist() == [[[2], [1]], [[10], [20]]]
    with pytest.raises(tf.errors.InvalidArgumentError):
        look_up(tf.constant([[2, 0]]), codebooks)


@pytest.mark.parametrize("rows", [0, 1, SLICE_ROWS, SLICE_ROWS + 1, 3 * SLICE_ROWS - 1])
def test_slices_are_put_together_in_order(rows):
    values = np.arange(rows * 2, dtype=np.int32).reshape(rows, 2)
    result = tf.function(lambda x: map_slices(lambda part: part * 3, x))(tf.constant(values))
    np.testing.assert_array_equal(result, values * 3)


def test_kmeans_finds_separate_clusters_and_then_what_is_left():
    # Two centres, each with two points a little beside it: level 1 finds the centres, level 2 the
    # two offsets from them.
    rows = np.array([[10, 1], [10, -1], [-10, 1], [-10, -1]], np.float32)
    rows = np.repeat(rows, 5, axis=0)
    codebooks = residual_kmeans(rows, [2, 2], 10, np.random.default_rng(0))
    assert sorted(codebooks[0].tolist()) == [[-10, 0], [10, 0]] or sorted(
        codebooks[0].tolist()
    ) == [[0, -1], [0, 1]]
    result = residual_quantize(tf.constant(rows), tf.constant(codebooks))
    np.testing.assert_allclose(result.quantized, rows, atol=1e-4)


@pytest.mark.parametrize("rows", [np.ones((3, 2)), np.zeros((40, 2)), np.eye(2)])
def test_kmeans_survives_fewer_distinct_rows_than_codes(rows):
    rng = np.random.default_rng(0)
    codebooks = np.stack(residual_kmeans(rows.astype(np.float32), [8, 8], 5, rng))
    assert codebooks.shape == (2, 8, 2)
    assert np.isfinite(codebooks).all()
    result = residual_quantize(tf.constant(rows, tf.float32), tf.constant(codebooks))
    np.testing.assert_allclose(result.quantized, rows, atol=1e-2)


def test_mixtures_weigh_by_square_roots_that_keep_the_norm():
    rng = np.random.default_rng(0)
    numbers, factors = draw_mixtures(7, 1000, 3, rng)
    assert numbers.shape == factors.shape == (1000, 3)
    assert set(numbers.ravel()) == set(range(7))
    np.testing.assert_allclose((factors**2).sum(axis=1), 1, atol=1e-5)
    items = rng.normal(size=(7, 4))
    expected = [
        sum(f * items[n] for n, f in zip(ns, fs, strict=True))
        for ns, fs in zip(numbers[:20], factors[:20], strict=True)
    ]
    np.testing.assert_allclose(mix(items, numbers[:20], factors[:20]), expected, atol=1e-6)
