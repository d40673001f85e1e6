import itertools

import numpy as np
import pytest

from semantic_id_ranking.evaluation.within_groups import ndcg_terms
from semantic_id_ranking.evaluation.within_groups import Ranking
from semantic_id_ranking.evaluation.within_groups import user_auc_terms


def ndcg(scores, labels, depth, group=None):
    """nDCG of groups by their terms."""
    scores, labels = np.asarray(scores, np.float32), np.asarray(labels)
    ranking = Ranking.of(np.zeros(len(scores)) if group is None else group, scores)
    gains, shares = ndcg_terms(ranking, labels, depth)
    return gains.sum() / shares.sum()


def test_ndcg_by_hand():
    # The positives are second and fourth: (1/log2(3) + 1/log2(5)) / (1 + 1/log2(3)).
    expected = (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3))
    assert ndcg([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1], 10) == pytest.approx(expected)
    # At depth 3 the fourth does not count; the best order still has both.
    expected = (1 / np.log2(3)) / (1 + 1 / np.log2(3))
    assert ndcg([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1], 3) == pytest.approx(expected)
    # At depth 1 one of the two positives is the best that there can be.
    assert ndcg([0.9, 0.8], [1, 1], 1) == pytest.approx(1.0)


def test_ndcg_of_equal_scores_is_the_mean_over_their_orders():
    scores, labels, depth = [0.9, 0.5, 0.5, 0.5, 0.1], [0, 1, 0, 1, 1], 3
    discounts = [1 / np.log2(position + 2) for position in range(depth)]
    dcgs = [
        sum(d * g for d, g in zip(discounts, [0, *order, 1], strict=False))
        for order in itertools.permutations(labels[1:4])
    ]
    assert ndcg(scores, labels, depth) == pytest.approx(np.mean(dcgs) / sum(discounts))


def test_groups_without_a_positive_do_not_count():
    scores, labels = [0.2, 0.3, 0.1, 0.9], [0, 1, 0, 0]
    assert ndcg(scores, labels, 5, np.array([1, 1, 2, 2])) == 1.0


def test_a_ranking_of_some_is_that_of_those_alone():
    rng = np.random.default_rng(0)
    group, scores = rng.integers(0, 9, 200), rng.integers(0, 5, 200).astype(np.float32)
    labels, mask = rng.integers(0, 2, 200), rng.random(200) < 0.4
    some = Ranking.of(group, scores).only(mask, group, scores)
    alone = Ranking.of(group[mask], scores[mask])
    np.testing.assert_array_equal(np.flatnonzero(mask)[alone.order], some.order)
    np.testing.assert_array_equal(user_auc_terms(some, labels), user_auc_terms(alone, labels[mask]))


def test_user_auc_terms_tell_what_an_impression_moves():
    rng = np.random.default_rng(1)
    user, labels = rng.integers(0, 4, 60), rng.integers(0, 2, 60)
    scores = rng.random(60).astype(np.float32)

    def weighted(weights):
        """GAUC where impressions count as often as their weights say."""
        total = count = 0.0
        for one in range(4):
            mine = user == one
            s, y, w = scores[mine], labels[mine] > 0, weights[mine]
            pairs = np.outer(w[y], w[~y])
            auc = (pairs * (s[y][:, None] > s[~y][None, :])).sum() / pairs.sum()
            total, count = total + w.sum() * auc, count + w.sum()
        return total / count

    ranking = Ranking.of(user, scores)
    terms = np.empty(60)
    terms[ranking.order] = user_auc_terms(ranking, labels)
    assert terms.mean() == pytest.approx(weighted(np.ones(60)))
    for row in range(60):
        more = np.ones(60)
        more[row] += 1e-6
        moved = (weighted(more) - weighted(np.ones(60))) / 1e-6 * 60
        assert moved == pytest.approx(terms[row] - terms.mean(), abs=1e-3)
