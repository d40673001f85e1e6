"""The join of one group of users: pure functions over arrays."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.feature_joiner import blocks
from semantic_id_ranking.components.feature_joiner import history
from semantic_id_ranking.components.feature_joiner.history import Events
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.user_counters import count_users
from semantic_id_ranking.components.feature_joiner.user_counters import first_codes
from semantic_id_ranking.components.feature_joiner.user_counters import UserCounters
from semantic_id_ranking.components.feature_joiner.user_state import last_events
from semantic_id_ranking.components.feature_joiner.user_state import oldest_first
from semantic_id_ranking.components.feature_joiner.user_state import UserState


@dataclasses.dataclass(frozen=True)
class JoinedGroup:
    """Impressions of some users, with what was known before each.

    Attributes:
        block: The n impressions, by user, time, item and then all other columns.
        time: int64 [n], the times they are joined by, microseconds.
        events: All events of all users, oldest first.
        first_event: int64 [n], the first event of an impression's user.
        end_event: int64 [n], the event after the last one that was known; as `first_event` where
            there is none.
        user_counters: int64 [n, C], those of the user; None where none are joined.
        code_counters: int64 [n, 2C], by the first code, then by the first two.
    """

    block: blocks.Block
    time: np.ndarray
    events: Events
    first_event: np.ndarray
    end_event: np.ndarray
    user_counters: np.ndarray | None
    code_counters: np.ndarray | None


def join_group(
    block: blocks.Block,
    before: UserState,
    table: ItemTable,
    start: int | None,
    parameters: JoinParameters,
) -> tuple[JoinedGroup, UserState]:
    """Joins impressions with their users.

    Args:
        block: All impressions of some users, in any order.
        before: These users, or some of them, before all impressions, and others.
        table: The items.
        start: First instant that `before` has not in it, microseconds since 1970; None: there is no
            earlier state.
        parameters: What is joined.

    Returns:
        The impressions, and all users after the last of them.
    """
    ids, user, known_user = _number_users(block["user_id"].combine_chunks(), before.ids)
    time = blocks.effective_time(block, start)
    order = blocks.in_order(block, user, time)
    block, user, time = block.take(pa.array(order)), user[order], time[order]
    # Those of no user come first; nothing is known of them, and they make nothing known.
    named = slice(int(np.searchsorted(user, 0)), None)
    user_named = user[named]
    moment = (time if parameters.by_event else parameters.days.of(time))[named]

    earlier = oldest_first(before.events, known_user, len(ids))
    makes_history = _makes_history(block, parameters)[named]
    rows = np.flatnonzero(makes_history) + named.start
    later = Events(
        np.zeros(0, np.int64),
        blocks.numbers(block, "item")[rows],
        blocks.numbers(block, "timestamp")[rows],
        blocks.labels(block, parameters)[rows],
    )
    events = history.append(earlier, user_named[makes_history], later)
    first = np.zeros(len(user), np.int64)
    end = first.copy()
    first[named], end[named] = history.known_before(
        earlier.lengths, user_named, moment, makes_history
    )

    of_user = of_codes = counters = None
    if parameters.counters and before.counters is not None:
        width = len(parameters.counter_layout.block)
        of_user = np.zeros((len(user), width), np.int64)
        of_codes = np.zeros((len(user), 2 * width), np.int64)
        of_user[named], of_codes[named], counters = count_users(
            user_named,
            moment,
            first_codes(table.sids[blocks.numbers(block, "item")[named]]),
            blocks.counter_flags(block, parameters)[named],
            _renumber(before.counters, known_user, len(ids)),
        )
    after = UserState(ids, last_events(events, parameters.history_length), counters)
    return JoinedGroup(block, time, events, first, end, of_user, of_codes), after


def _number_users(
    users: pa.BinaryArray, known: pa.BinaryArray
) -> tuple[pa.BinaryArray, np.ndarray, np.ndarray]:
    """All ids, ascending, and the numbers in them of users (-1 of a null) and of known users."""
    every = pc.unique(pa.concat_arrays([known, users.drop_null()]))
    ids = every.take(pc.sort_indices(every))
    user, known_user = (
        pc.fill_null(pc.index_in(column, value_set=ids), -1).to_numpy().astype(np.int64)
        for column in (users, known)
    )
    return ids, user, known_user


def _makes_history(block: blocks.Block, parameters: JoinParameters) -> np.ndarray:
    """Impressions that make history, bool [n]. A missing label is not a positive."""
    if parameters.positive is None:
        return np.ones(block.num_rows, bool)
    return blocks.numbers(block, blocks.input_column(parameters.positive)) == 1


def _renumber(counters: UserCounters, user: np.ndarray, users: int) -> UserCounters:
    """The counters of some users, by other numbers of them, ascending as before."""
    totals = np.zeros((users, counters.totals.shape[1]), np.int64)
    totals[user] = counters.totals
    return dataclasses.replace(counters, totals=totals, user=user[counters.user])
