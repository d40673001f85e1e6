import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semantic_id_ranking.components.feature_joiner.history import recent_before


def loop(query_user, query_time, event_user, event_time, length):
    """The definition, one query at a time."""
    result = []
    for user, time in zip(query_user, query_time, strict=True):
        past = [e for e in range(len(event_user)) if event_user[e] == user and event_time[e] < time]
        past.sort(key=lambda e: (event_time[e], e), reverse=True)
        result.append(past[:length])
    return result


def as_lists(offsets, events):
    return [events[a:b].tolist() for a, b in itertools.pairwise(offsets)]


def test_a_hand_worked_history():
    # User 0 liked event 0 at 10 and event 1 at 20; user 1 liked event 2 at 15.
    offsets, events = recent_before(
        np.array([0, 0, 0, 1]),
        np.array([10, 20, 21, 16]),
        np.array([0, 0, 1]),
        np.array([10, 20, 15]),
        length=5,
    )
    # At 10 nothing lies *before*; at 20 the event at 20 is not seen yet; at 21 both, the latest
    # first.
    assert as_lists(offsets, events) == [[], [0], [1, 0], [2]]


def test_only_the_last_events_are_kept():
    zeros = np.zeros(4, int)
    offsets, events = recent_before(zeros[:1], np.array([9]), zeros, np.array([1, 2, 3, 4]), 2)
    assert as_lists(offsets, events) == [[3, 2]]


def test_no_events_at_all():
    empty = np.empty(0, np.int64)
    offsets, events = recent_before(np.array([3, 1]), np.array([5, 5]), empty, empty, 4)
    assert offsets.tolist() == [0, 0, 0]
    assert len(events) == 0


@given(
    queries=st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 5)), min_size=1, max_size=30),
    events=st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 5)), max_size=30),
    length=st.integers(1, 4),
)
def test_equals_the_definition(queries, events, length):
    query_user, query_time = np.array(queries, np.int64).reshape(-1, 2).T
    event_user, event_time = np.array(events, np.int64).reshape(-1, 2).T
    result = recent_before(query_user, query_time, event_user, event_time, length)
    assert as_lists(*result) == loop(query_user, query_time, event_user, event_time, length)


def test_times_in_microseconds_do_not_overflow():
    now = 1_700_000_000_000_000
    offsets, events = recent_before(
        np.array([10**6]), np.array([now + 1]), np.array([10**6]), np.array([now]), 1
    )
    assert as_lists(offsets, events) == [[0]]
