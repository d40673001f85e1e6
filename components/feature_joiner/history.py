"""Histories of users before an impression: pure functions over arrays."""

import numpy as np


def recent_before(
    query_user: np.ndarray,
    query_time: np.ndarray,
    event_user: np.ndarray,
    event_time: np.ndarray,
    length: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The last events of each query's user strictly before the query's time.

    Sorts once and finds each history by bisection: O((Q + E) log (Q + E)), no loop over users.

    Args:
        query_user: [Q] int, numbers of users.
        query_time: [Q] int64.
        event_user: [E] int, in the same numbering.
        event_time: [E] int64.
        length: Events a query, at most (H).

    Returns:
        Offsets [Q + 1] and events [offsets[Q]]: query q has events[offsets[q]:offsets[q + 1]], the
        most recent first; of events at one instant, the one that stands later in the input comes
        first.
    """
    # One number for (user, time) that sorts like the pair: ranks of times are dense, so it cannot
    # overflow.
    times, rank = np.unique(np.concatenate([query_time, event_time]), return_inverse=True)
    rank = rank.reshape(-1)
    stride = len(times) + 1
    query_key = query_user.astype(np.int64) * stride + rank[: len(query_time)]
    event_key = event_user.astype(np.int64) * stride + rank[len(query_time) :]
    order = np.argsort(event_key, kind="stable")
    event_key = event_key[order]
    end = np.searchsorted(event_key, query_key, side="left")
    begin = np.searchsorted(event_key, query_user.astype(np.int64) * stride, side="left")
    lengths = np.minimum(end - begin, length)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    return offsets, order[np.repeat(end, lengths) - 1 - within]
