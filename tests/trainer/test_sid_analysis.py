import math

import numpy as np
import pytest

from semantic_id_ranking.trainer.rqvae import analysis

SIDS = np.array([[0, 1], [0, 1], [0, 2], [3, 2]])


def test_codebook_use_counts_codes_that_items_have():
    assert analysis.codebook_use(SIDS, codebook_size=4) == [2 / 4, 2 / 4]


def test_perplexity_of_even_and_uneven_use():
    uneven = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert analysis.perplexity(SIDS) == pytest.approx([uneven, 2.0])


def test_unique_fraction():
    # Items 0 and 1 share a Semantic ID, 2 and 3 have one of their own.
    assert analysis.unique_fraction(SIDS) == 0.5


def test_relative_error_is_one_for_the_mean_and_zero_for_the_thing():
    x = np.random.default_rng(0).normal(size=(50, 3)) + 5
    mean = x.mean(axis=0)
    assert analysis.relative_error(x, np.broadcast_to(mean, x.shape), mean) == pytest.approx(1)
    assert analysis.relative_error(x, x, mean) == 0


def test_prefix_table_by_hand():
    # Prefix (0): three items, pair cosines 1, 0, 0, so each item's mean over its others is
    # 0.5, 0.5, 0. Prefix (0, 1): one pair with cosine 1. Subtrees: sizes 3, 1 and then 2, 1, 1.
    embeddings = np.array([[2.0, 0], [1, 0], [0, 1], [0, 5]])
    one, two = analysis.prefix_table(SIDS, embeddings, pairs=200_000, fewest=1)
    assert (one.pairs, two.pairs) == (3, 1)
    assert one.mean_cosine == pytest.approx(1 / 3, abs=0.01)
    assert one.subtree_size == [1.5, 2.0, 2.5]
    assert two.mean_cosine == pytest.approx(1.0)
    assert two.subtree_size == [1.0, 1.0, 1.5]


def test_prefix_table_where_no_two_items_share_anything():
    (row,) = analysis.prefix_table(np.array([[0], [1]]), np.eye(2), fewest=0)
    assert (row.pairs, row.mean_cosine, row.subtree_size) == (0, None, [1.0, 1.0, 1.0])


def test_a_mean_of_too_few_pairs_is_none():
    rng = np.random.default_rng(0)
    sids, embeddings = np.zeros((8, 1), int), rng.normal(size=(8, 3))
    (row,) = analysis.prefix_table(sids, embeddings, fewest=28)  # 8 * 7 / 2 pairs.
    assert row.mean_cosine is not None
    (row,) = analysis.prefix_table(sids, embeddings, fewest=29)
    assert row.mean_cosine is None
