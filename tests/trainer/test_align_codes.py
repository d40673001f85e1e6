"""Names of codes after a refresh, against all permutations and a model before and after."""

import itertools

import numpy as np
import pytest

from semantic_id_ranking.trainer.rqvae.align import align_codes
from semantic_id_ranking.trainer.rqvae.align import rename
from semantic_id_ranking.trainer.rqvae.align import rename_codes
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.model import RqVae

RNG = np.random.default_rng(0)


def kept(old, new):
    """Items that keep their first code, their first two, and so on."""
    return np.cumprod(old == new, axis=1).sum(axis=0).tolist()


def test_shuffled_names_are_found_again():
    old = RNG.integers(0, 16, (2000, 3))
    names = np.stack([RNG.permutation(16) for _ in range(3)])
    new = rename(old, names)
    found = align_codes(old, new, 16)
    np.testing.assert_array_equal(rename(new, found), old)
    np.testing.assert_array_equal(found, np.argsort(names, axis=1))
    assert found.dtype == np.int32


@pytest.mark.parametrize("weighted", [False, True])
def test_no_permutations_keep_more_level_by_level(weighted):
    old, new = RNG.integers(0, 4, (2, 40, 2))
    weights = RNG.uniform(0.5, 9, 40) if weighted else np.ones(40)
    found = rename(new, align_codes(old, new, 4, weights if weighted else None))
    every = [np.array(p) for p in itertools.permutations(range(4))]
    first = max(weights @ (p[new[:, 0]] == old[:, 0]) for p in every)
    same = found[:, 0] == old[:, 0]
    assert weights @ same == pytest.approx(first)
    second = max(weights @ (same & (p[new[:, 1]] == old[:, 1])) for p in every)
    assert weights @ (same & (found[:, 1] == old[:, 1])) == pytest.approx(second)
    # Of those that keep as many prefixes, it keeps most codes of the level itself.
    best = max(
        weights @ (p[new[:, 1]] == old[:, 1])
        for p in every
        if weights @ (same & (p[new[:, 1]] == old[:, 1])) > second - 1e-9
    )
    assert weights @ (found[:, 1] == old[:, 1]) == pytest.approx(best)


def test_codes_that_no_item_has_are_named_too():
    permutations = align_codes(np.empty((0, 2), int), np.empty((0, 2), int), 5)
    assert [sorted(level) for level in permutations.tolist()] == [list(range(5))] * 2


@pytest.mark.parametrize(
    ("old", "new", "weights", "message"),
    [
        (np.zeros((3, 2), int), np.zeros((3, 1), int), None, "one shape"),
        (np.zeros((3, 2), int), np.full((3, 2), 4), None, r"new codes must be in 0 \.\. 3"),
        (np.zeros((3, 2), int), np.zeros((3, 2), int), np.zeros(3), "above 0"),
    ],
)
def test_what_cannot_be_aligned_is_refused(old, new, weights, message):
    with pytest.raises(ValueError, match=message):
        align_codes(old, new, 4, weights)


def test_a_renamed_model_is_the_same_function_up_to_names():
    model = RqVae(
        RqVaeConfig(levels=3, codebook_size=32, latent_dim=6), np.ones(8), np.full(8, 2.0)
    )
    for variable in (*model.encoder.variables, *model.decoder.variables, model.codebooks):
        variable.assign(RNG.normal(size=variable.shape))
    items = (3 * RNG.normal(size=(5000, 8))).astype(np.float32)
    sids, space = model.encode(items).numpy(), model.space
    decoded = model.decode(sids).numpy()
    names = np.stack([RNG.permutation(32) for _ in range(3)])
    rename_codes(model, names)
    np.testing.assert_array_equal(model.encode(items).numpy(), rename(sids, names))
    np.testing.assert_array_equal(model.decode(rename(sids, names)).numpy(), decoded)
    assert model.space.fingerprint != space.fingerprint
