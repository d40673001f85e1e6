import numpy as np

from benchmarks.copies import other_copy
from benchmarks.copies import relative_difference
from benchmarks.copies import with_copies
from benchmarks.joined import join
from tests.benchmarks.bench_world import config
from tests.benchmarks.bench_world import random_data_set


def test_copies_share_everything_but_the_id():
    data = random_data_set(config())
    doubled = with_copies(data)

    items = doubled.items
    assert len(set(items.ids)) == 80
    np.testing.assert_array_equal(items.embeddings[:40], items.embeddings[40:])
    np.testing.assert_array_equal(items.created_at[:40], items.created_at[40:])
    np.testing.assert_array_equal(doubled.impressions.item % 40, data.impressions.item)
    # Half of 400, within four standard deviations.
    assert abs((doubled.impressions.item >= 40).sum() - 200) < 40
    current = doubled.impressions.current
    np.testing.assert_array_equal(current < 0, data.impressions.current < 0)
    histories, plain = join(doubled).history, join(data).history
    np.testing.assert_array_equal(np.where(histories == 80, 40, histories % 40), plain)


def test_the_other_copy_is_the_twin():
    item = np.array([0, 3, 4, 7], np.int32)
    assert other_copy(item, 4).tolist() == [4, 7, 0, 3]


def test_relative_difference_by_hand():
    first, second = np.array([0.2, 0.5]), np.array([0.1, 0.5])
    np.testing.assert_allclose(relative_difference(first, second), [0.1 / 0.15, 0.0])
