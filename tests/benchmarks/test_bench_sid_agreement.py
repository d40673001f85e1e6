import itertools

import numpy as np
import pytest

from benchmarks.sid_agreement import code_agreement
from benchmarks.sid_agreement import mutual_information
from benchmarks.sid_agreement import pair_agreement


def test_code_agreement_counts_whole_prefixes():
    first = np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8], [1, 1, 1]])
    second = np.array([[0, 1, 2], [3, 4, 0], [0, 7, 8], [1, 0, 1]])
    assert code_agreement(first, second) == [0.75, 0.5, 0.25]


def test_mutual_information_by_hand():
    # Four equal clusters against two that each hold two of them: H = log 4, H' = log 2 = MI.
    first = np.repeat([0, 1, 2, 3], 5)
    second = np.repeat([1, 0], 10)
    result = mutual_information(first, second)
    assert result["nats"] == pytest.approx(np.log(2))
    assert result["normalized"] == pytest.approx(np.log(2) / ((np.log(4) + np.log(2)) / 2))


def test_renamed_codes_are_the_same_clusters():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 8, 500)
    renamed = rng.permutation(8)[first]
    assert mutual_information(first, renamed)["normalized"] == pytest.approx(1.0)
    assert mutual_information(first, rng.integers(0, 8, 500))["normalized"] < 0.1


def test_pair_agreement_is_the_share_of_all_pairs():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 3, (40, 2)), rng.integers(0, 3, (40, 2))
    expected = []
    for length in (1, 2):
        pairs = [
            (a, b)
            for a, b in itertools.combinations(range(40), 2)
            if (first[a, :length] == first[b, :length]).all()
        ]
        same = [(second[a, :length] == second[b, :length]).all() for a, b in pairs]
        expected.append(np.mean(same))
    assert pair_agreement(first, second) == pytest.approx(expected, abs=0.005)


def test_pair_agreement_without_a_shared_prefix_is_nan():
    lone = np.arange(5)[:, None]
    assert np.isnan(pair_agreement(lone, lone)).all()
