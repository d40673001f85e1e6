"""The report of a refresh, against numbers worked out by hand."""

import numpy as np
import pytest

from semantic_id_ranking.components.refresh_evaluator.compare import matched
from semantic_id_ranking.components.refresh_evaluator.compare import moved
from semantic_id_ranking.contracts.errors import InputError


def predictions(rows):
    """Of (user, item, time, score); the user None has a digest of its own, as of its row."""
    return {
        "user": np.array([100 + n if row[0] is None else row[0] for n, row in enumerate(rows)]),
        "has_user": np.array([row[0] is not None for row in rows]),
        "item": np.array([row[1] for row in rows]),
        "time": np.array([row[2] for row in rows]),
        "score candidate click": np.array([row[3] for row in rows], np.float32),
    }


def test_impressions_are_matched_by_what_they_are_of():
    after = predictions([(1, 7, 10, 0.1), (None, 7, 11, 0.2), (2, 8, 12, 0.3), (1, 7, 10, 0.4)])
    before = predictions([(3, 7, 10, 0.9), (2, 8, 12, 0.8), (1, 7, 10, 0.7), (None, 7, 11, 0.6)])
    both = matched(after, before)
    scores = [one["score candidate click"].tolist() for one in both]
    pairs = sorted(zip(*scores, strict=True))
    np.testing.assert_allclose(pairs, [(0.1, 0.7), (0.2, 0.6), (0.3, 0.8)], rtol=1e-6)
    with pytest.raises(InputError, match="no impression of the last day"):
        matched(after, predictions([(9, 9, 9, 0.5)]))


def test_predictions_move_by_more_than_rounding():
    before = np.array([0.5, 0.25, 0.1, 0.2], np.float32)
    after = before + np.array([0.1, 0, 1e-7, -0.3], np.float32)
    found = moved(before, after)
    assert found["share"] == 0.5
    np.testing.assert_allclose(found["mean_change"], 0.1, rtol=1e-5)
