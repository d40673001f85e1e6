"""Counters of users, before each impression and at the end: pure functions over arrays."""

import dataclasses

import numpy as np

from semantic_id_ranking.components.feature_joiner import counting

# Keeps two codes in one number.
_SHIFT = 32


@dataclasses.dataclass(frozen=True)
class UserCounters:
    """Counters of U users at a moment.

    Attributes:
        totals: int64 [U, C], of each user: the block of `CounterLayout`.
        user: int64 [m], users of the counters by codes, ascending.
        codes: int64 [m], the first two codes of a Semantic ID as one number, ascending by user.
        by_codes: int64 [m, C], of the user's impressions of items that begin with those codes.
    """

    totals: np.ndarray
    user: np.ndarray
    codes: np.ndarray
    by_codes: np.ndarray


def first_codes(sids: np.ndarray) -> np.ndarray:
    """The first two codes of Semantic IDs [n, L] as one number, int64 [n]; of one code, that one.

    >>> first_codes(np.array([[1, 5, 7], [0, 2, 2]])).tolist() == [(1 << 32) + 5, 2]
    True
    """
    first = sids[:, 0].astype(np.int64) << _SHIFT
    return first + sids[:, 1] if sids.shape[1] > 1 else first


def split_codes(codes: np.ndarray) -> np.ndarray:
    """The two codes, int32 [n, 2], of numbers of `first_codes`."""
    return np.stack([codes >> _SHIFT, codes & (2**_SHIFT - 1)], axis=1).astype(np.int32)


def count_users(
    user: np.ndarray,
    moment: np.ndarray,
    codes: np.ndarray,
    flags: np.ndarray,
    before: UserCounters,
) -> tuple[np.ndarray, np.ndarray, UserCounters]:
    """Counts the impressions of users.

    Args:
        user: int64 [n], rows of `before.totals`, ascending.
        moment: int64 [n], ascending for each user; an impression knows of those at an earlier one.
        codes: int64 [n], `first_codes` of the candidates.
        flags: int64 [n, C], 1 where an impression adds to a counter.
        before: Counters before all impressions.

    Returns:
        Of each impression the counters of the user, int64 [n, C], and those by the first code, then
        by the first two, int64 [n, 2C]; and the counters after the last impression.
    """
    of_user = counting.run_starts(user)
    totals = before.totals[user] + counting.sums_before(
        flags, of_user, counting.run_starts(user, moment)
    )
    end = before.totals.copy()
    first = np.unique(of_user)
    end[user[first]] += counting.sums_of_runs(flags, first)

    # Users without an impression stay as they are, however many there are.
    active = np.zeros(len(end), bool)
    active[user] = True
    touched = active[before.user]
    user_before, codes_before = before.user[touched], before.codes[touched]
    counters_before = before.by_codes[touched]
    by_first, _, _ = _by_key(
        user, moment, codes >> _SHIFT, flags, user_before, codes_before >> _SHIFT, counters_before
    )
    by_two, keys, sums = _by_key(
        user, moment, codes, flags, user_before, codes_before, counters_before
    )
    users = np.concatenate([before.user[~touched], keys[:, 0]])
    order = np.argsort(users, kind="stable")
    after = UserCounters(
        end,
        users[order],
        np.concatenate([before.codes[~touched], keys[:, 1]])[order],
        np.concatenate([before.by_codes[~touched], sums])[order],
    )
    return totals, np.concatenate([by_first, by_two], axis=1), after


def _by_key(
    user: np.ndarray,
    moment: np.ndarray,
    codes: np.ndarray,
    flags: np.ndarray,
    user_before: np.ndarray,
    codes_before: np.ndarray,
    counters_before: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counters [n, C] by user and codes before each row; keys [k, 2] and counters at the end."""
    every, number = np.unique(np.concatenate([codes_before, codes]), return_inverse=True)
    number = number.reshape(-1)
    # Users and codes as one number, which sorts as the pair does.
    users = np.concatenate([user_before, user])
    keys, key = np.unique(users * max(len(every), 1) + number, return_inverse=True)
    key_before, key = np.split(key.reshape(-1), [len(user_before)])
    start = np.zeros((len(keys), flags.shape[1]), np.int64)
    np.add.at(start, key_before, counters_before)

    # Stable, so that each key's rows stay in the order of time.
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    of_key = counting.run_starts(sorted_key)
    before = start[sorted_key] + counting.sums_before(
        flags[order], of_key, counting.run_starts(sorted_key, moment[order])
    )
    result = np.empty_like(before)
    result[order] = before
    end = start
    first = np.unique(of_key)
    end[sorted_key[first]] += counting.sums_of_runs(flags[order], first)
    pairs = np.stack(np.divmod(keys, max(len(every), 1)), axis=1)
    pairs[:, 1] = every[pairs[:, 1]]
    return result, pairs, end
