import numpy as np

from semantic_id_ranking.components.feature_joiner.popularity import popularity_slices


def test_hand_worked_slices():
    # 100 impressions. Above item 0 there is nothing, above the 25s lie 50, above the 0 lie 100.
    slices = popularity_slices(np.array([50, 25, 25, 0]), head_share=0.5, torso_share=0.3)
    assert slices.tolist() == [b"head", b"torso", b"torso", b"tail"]


def test_items_of_one_count_are_in_one_slice_and_order_does_not_matter():
    counts = np.array([1, 9, 1, 9, 1])
    slices = popularity_slices(counts, 0.5, 0.3)
    assert slices.tolist() == [b"tail", b"head", b"tail", b"head", b"tail"]
    order = np.array([4, 1, 0, 3, 2])
    assert popularity_slices(counts[order], 0.5, 0.3).tolist() == slices[order].tolist()


def test_an_item_without_impressions_is_in_the_tail_even_alone():
    assert popularity_slices(np.array([0, 0]), 0.5, 0.3).tolist() == [b"tail", b"tail"]
