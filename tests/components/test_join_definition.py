"""The join against its definition, and day by day against all at once."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from semantic_id_ranking.components.feature_joiner.blocks import input_column
from tests.components import joined_logs
from tests.components.joined_logs import DAY
from tests.components.joined_logs import PARAMETERS

KINDS = pytest.mark.parametrize("events", ["positives", "all"])
MODES = pytest.mark.parametrize("by_event", [False, True], ids=["day_start", "event"])


def parameters(by_event, events):
    kind = {"positive": None, "history_labels": True} if events == "all" else {}
    return dataclasses.replace(PARAMETERS, by_event=by_event, **kind)


def assert_equals_the_definition(log, settings):
    found, expected = joined_logs.join(log, settings).rows, joined_logs.loop(log, settings)
    for row, wanted in zip(found, expected, strict=True):
        for name, values in wanted.items():
            if name.startswith(("context_", "history_label_", "item_rate_")):
                np.testing.assert_allclose(row.get(name, []), values, rtol=1e-6, atol=1e-9)
            else:
                assert row.get(name, []) == values, name


@KINDS
@MODES
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_definition(seed, by_event, events):
    assert_equals_the_definition(joined_logs.random_log(seed), parameters(by_event, events))


@MODES
@pytest.mark.parametrize("counters", [False, True], ids=["no counters", "counters"])
@pytest.mark.parametrize("evaluation", [False, True], ids=["days", "evaluation"])
def test_an_evaluation_period_counts_as_one_day_where_the_ranker_reads_no_counters(
    by_event, counters, evaluation
):
    changes = {"counters": counters, "evaluation_period": evaluation}
    settings = dataclasses.replace(parameters(by_event, "positives"), **changes)
    log = joined_logs.random_log(11, rows=300)
    # From within a day on.
    late = log["timestamp"].to_numpy() >= 3 * DAY + DAY // 2
    index = log.column_names.index("evaluation")
    log = log.set_column(index, "evaluation", pa.array(late & evaluation))
    assert_equals_the_definition(log, settings)


def exact(state):
    """All of a state, comparable to the bit."""
    users, items = state.users, state.items
    arrays = {
        "lengths": users.events.lengths,
        "item": users.events.item,
        "time": users.events.time,
        "labels": users.events.labels,
        "totals": users.counters.totals,
        "user": users.counters.user,
        "codes": users.counters.codes,
        "by_codes": users.counters.by_codes,
        **{f"items {name}": values for name, values in vars(items).items()},
    }
    result = {name: np.ascontiguousarray(a).tobytes() for name, a in arrays.items()}
    return {**result, "ids": users.ids.to_pylist(), "all labels": state.labels}


def in_order(rows, log):
    return sorted(
        (sorted((name, str(values)) for name, values in row.items()) for row in rows), key=str
    )


@KINDS
@MODES
@pytest.mark.parametrize("seed", range(3))
def test_day_by_day_and_at_once_are_the_same_to_the_bit(seed, by_event, events):
    settings = parameters(by_event, events)
    log = joined_logs.random_log(seed, rows=400)
    once, daily = joined_logs.join(log, settings), joined_logs.by_days(log, settings)
    assert in_order(daily.rows, log) == in_order(once.rows, log)
    assert exact(daily) == exact(once)


@KINDS
@MODES
def test_the_order_of_reading_does_not_matter(by_event, events):
    settings = parameters(by_event, events)
    log = joined_logs.random_log(5)
    shuffled = log.take(pa.array(np.random.default_rng(1).permutation(len(log))))
    once, again = joined_logs.join(log, settings), joined_logs.join(shuffled, settings)
    assert list(map(str, again.rows)) == list(map(str, once.rows))
    assert exact(again) == exact(once)


@KINDS
@MODES
@pytest.mark.parametrize("hour", [0, 8])
def test_nothing_knows_the_future(by_event, events, hour):
    """All that happens from some time on is turned round: nothing up to it changes.

    Rows at the time itself do not see each other; by days, none of that day sees the day.
    """
    settings = parameters(by_event, events)
    log = joined_logs.random_log(7, rows=300)
    moment = 3 * DAY + hour * (DAY // 24)
    time = log["timestamp"].to_numpy()
    later = time >= (moment if by_event else 3 * DAY)
    assert (time == moment).sum() > 3
    changed = log
    for column in settings.labels.values():
        name = input_column(column)
        label = log[name].to_numpy()
        turned = np.where(np.isnan(label), 1, np.where(label == 0, 1, 0))
        values = np.where(later, turned, label).astype(np.float32)
        changed = changed.set_column(changed.column_names.index(name), name, pa.array(values))
    # And of the rows after it there are twice as many, of one item.
    more = log.filter(pa.array(time > (moment if by_event else 4 * DAY - 1)))
    more = more.set_column(2, "item", pa.array(np.zeros(len(more), np.int64)))
    changed = pa.concat_tables([changed, more])
    label_names = {f"{kind}_{task}" for kind in ("label", "weight") for task in settings.labels}

    def until(rows):
        kept = [
            {name: values for name, values in row.items() if name not in label_names}
            for row in rows
            if row["timestamp"][0] <= (moment if by_event else 4 * DAY - 1)
        ]
        return in_order(kept, log)

    plain = joined_logs.join(log, settings).rows
    assert until(joined_logs.join(changed, settings).rows) == until(plain)
    assert len(until(plain)) < len(plain)


def test_a_late_impression_is_joined_with_the_state_and_is_known_after_the_days_start():
    settings = dataclasses.replace(PARAMETERS, by_event=True, positive=None, history_length=9)
    log = joined_logs.random_log(3)
    time = log["timestamp"].to_numpy()
    before = joined_logs.join(log.filter(pa.array(time < 3 * DAY)), settings)
    day = log.filter(pa.array((time >= 3 * DAY) & (time < 4 * DAY)))
    late = day.slice(0, 1)
    user, item = b"u", 1
    late = late.set_column(0, "user_id", pa.array([user], pa.binary()))
    late = late.set_column(1, "timestamp", pa.array([DAY // 2]))
    late = late.set_column(2, "item", pa.array([item]))
    joined = joined_logs.join(pa.concat_tables([day, late]), settings, before, 3 * DAY).rows
    plain = joined_logs.join(day, settings, before, 3 * DAY).rows
    (found,) = [row for row in joined if row["timestamp"] == [DAY // 2]]
    first = [row for row in plain if row.get("user_id") == [user] and row["timestamp"] == [3 * DAY]]
    assert found["history_item_id"] == first[0]["history_item_id"]
    assert found["context_user_counters"] == first[0]["context_user_counters"]

    def user_counts(rows):
        return sorted(
            (row["timestamp"][0], row["context_user_counters"][0])
            for row in rows
            if row.get("user_id") == [user] and row["timestamp"] != [DAY // 2]
        )

    # One impression more after the day's start, none at it.
    assert [(t, n + (t > 3 * DAY)) for t, n in user_counts(plain)] == user_counts(joined)
