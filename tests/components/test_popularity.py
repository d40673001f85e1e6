import numpy as np

from semantic_id_ranking.components.feature_joiner import popularity
from semantic_id_ranking.components.feature_joiner.popularity import EVALUATION
from semantic_id_ranking.components.feature_joiner.popularity import Popularity
from semantic_id_ranking.components.feature_joiner.popularity import SLICES

HEAD, TORSO, TAIL = SLICES


def bounds(counts, head_share=0.5, torso_share=0.3):
    values, items = np.unique(counts, return_counts=True)
    return popularity.bounds(values, items, head_share, torso_share)


def test_hand_worked_bounds():
    # 100 impressions. Above 50 there is nothing, above the 25s lie 50, above a 1 lie 100.
    assert bounds([50, 25, 25, 0]) == (50, 25)


def test_items_of_one_count_are_in_one_slice():
    # Above the 9s nothing, above the 1s 18 of 21.
    assert bounds([1, 9, 1, 9, 1]) == (9, 9)
    assert bounds([1, 9, 1, 9, 1], 0.5, 0.4) == (9, 1)


def test_an_item_without_impressions_is_in_the_tail_even_alone():
    assert bounds([0, 0]) == (1, 1)
    assert bounds([]) == (1, 1)


def test_each_period_knows_the_changes_before_it_alone():
    # Two items come with 4 and 1; on day 3 the second grows to 9, on day 5 a third one to 20.
    changes = popularity.add(
        [
            popularity.before(np.array([4, 1, 0])),
            popularity.changes(np.array([3]), np.array([1]), np.array([9])),
            popularity.changes(np.array([5]), np.array([0]), np.array([20])),
        ]
    )
    found = Popularity.of(changes, 0.5, 0.3)

    def names(period, *impressions):
        which = found.slices(np.full(len(impressions), period), np.array(impressions))
        return [SLICES[number] for number in which]

    # 4 of 5 lie above the 1, then 9 of 13 above the 4, then 20 of 33 above the 9.
    assert names(3, 4, 1, 0) == [HEAD, TAIL, TAIL]
    assert names(4, 9, 4, 0) == names(5, 9, 4, 0) == [HEAD, TORSO, TAIL]
    assert names(6, 20, 9, 4) == [HEAD, TORSO, TAIL]


def test_the_evaluation_period_has_bounds_of_its_own():
    changes = popularity.add(
        [
            popularity.before(np.array([4])),
            popularity.changes(np.array([3]), np.array([4]), np.array([100])),
            popularity.changes(np.array([EVALUATION]), np.array([4]), np.array([7])),
        ]
    )
    found = Popularity.of(changes, 0.5, 0.3)
    assert found.slices(np.array([EVALUATION] * 2), np.array([7, 4])).tolist() == [0, 2]
    assert found.slices(np.array([4]), np.array([99])).tolist() == [2]


def test_a_sum_of_changes_does_not_depend_on_their_order():
    rng = np.random.default_rng(0)
    parts = [popularity.changes(*rng.integers(0, 4, (3, 20)).astype(np.int64)) for _ in range(5)]
    whole = popularity.add(parts)
    assert (popularity.add([popularity.add(parts[3:]), *parts[:3]]) == whole).all()
    assert (whole[:, 2] != 0).all()
