import numpy as np

from benchmarks.exact_codes import exact_codes
from benchmarks.interleave import interleave
from benchmarks.interleave import speed_ratio


def test_exact_codes_by_hand():
    # (5, 1) is nearest to (4, 0), which leaves (1, 1), nearest to (1, 2); (0, 0) has two equally
    # near codes at level 2 and takes the lower.
    codebooks = np.array([[[0.0, 0], [4, 0]], [[1, 2], [-1, 2]]])
    assert exact_codes(np.array([[5.0, 1], [0, 0]]), codebooks).tolist() == [[1, 0], [0, 0]]


def test_contestants_take_turns():
    turns = []

    def contestant(name, seconds):
        return lambda: turns.append(name) or seconds.pop(0)

    seconds = interleave(
        {"a": contestant("a", [1.0, 2.0, 4.0]), "b": contestant("b", [2.0, 6.0, 4.0])},
        rounds=3,
        progress=lambda line: None,
    )
    assert turns == ["a", "b"] * 3
    assert seconds == {"a": [1.0, 2.0, 4.0], "b": [2.0, 6.0, 4.0]}
    # Round by round 2, 3 and 1 times as fast.
    assert speed_ratio(seconds["a"], seconds["b"]) == 2.0
