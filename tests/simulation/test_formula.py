"""Formula of the labels, tree of topics and users' tastes, by numbers worked out by hand."""

import math

import numpy as np
import pytest

from semantic_id_ranking.simulation.formula import truth
from semantic_id_ranking.simulation.topic_tree import path_sums
from semantic_id_ranking.simulation.users import Users


def one(**traits):
    none = dict.fromkeys(("taste", "appeal", "quality", "level"), 0.0) | {"hour": 2}
    return truth(**{name: np.array([value]) for name, value in (none | traits).items()})


@pytest.mark.parametrize(
    ("traits", "logit"),
    [
        # 18 hours from the evening's 20: cos(2 pi (2 - 20) / 24) = cos(-3/2 pi) = 0.
        ({}, -1.5),
        ({"hour": 20}, -1.2),
        ({"hour": 8}, -1.8),
        ({"taste": 1.0}, -0.5),
        ({"appeal": 0.25, "quality": 0.5, "level": 0.75}, 0.0),
    ],
)
def test_a_click(traits, logit):
    assert one(**traits).click == pytest.approx([1 / (1 + math.exp(-logit))])


def test_a_like_and_the_seconds_of_a_click():
    found = one(taste=2.0, quality=0.5)
    click = 1 / (1 + math.exp(-1.0))
    like = 1 / (1 + math.exp(-0.5))
    assert found.click == pytest.approx([click])
    assert found.expected["like"] == pytest.approx([click * like])
    assert found.expected["watch_seconds"] == pytest.approx([click * 60 * math.e])


def test_labels_are_as_frequent_as_their_truth_says():
    count = 200_000
    sample = truth(*np.random.default_rng(0).normal(size=(4, count)), np.full(count, 2))
    labels = sample.draw(np.random.default_rng(1))
    for label, expected in sample.expected.items():
        error = labels[label].std() / math.sqrt(count)
        assert abs(labels[label].mean() - expected.mean()) < 4 * error
    assert set(np.unique(labels["click"])) == {0, 1}
    assert not labels["like"][labels["click"] == 0].any()
    assert ((labels["watch_seconds"] > 0) == (labels["click"] == 1)).all()


def test_leaves_of_one_topic_have_its_part_in_common():
    class Given:
        """1, 2, 3, ... in place of random numbers."""

        def normal(self, size):
            return np.arange(1, size[0] + 1, dtype=float)[:, None]

    # Two topics of 100 and 200, below each three of 1 .. 6.
    found = path_sums(Given(), (100, 1), 1, (2, 3))
    assert found[:, 0].tolist() == [101, 102, 103, 204, 205, 206]


def test_tastes_turn_and_keep_their_length():
    start, turned = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 2.0], [0.0, 2.0]])
    level = np.zeros(2)
    users = Users(start, turned, np.array([0.0, math.pi / 20]), level, level + 0.5)
    assert users.tastes(0) == pytest.approx(start)
    # The second one has turned by a quarter after ten days, the first one does not turn.
    assert users.tastes(10) == pytest.approx(np.array([[1.0, 0.0], [0.0, 2.0]]))
