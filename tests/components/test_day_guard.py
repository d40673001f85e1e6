"""DayGuard: days that pass, planted faults, and the sentence that each is refused with."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from semantic_id_ranking.components.day_guard.compared import Compared
from semantic_id_ranking.components.day_guard.guard_config import GuardConfig

COMPARED = Compared(
    source="log.parquet",
    earlier_day="2024-01-01",
    earlier_is_log=False,
    labels=("clicked", "liked"),
    categorical=("tab",),
    numeric=("price", "seconds"),
    columns={"item_id": "film", "user_id": "person"},
)
ITEMS = {f"film-{i}" for i in range(60)}
ROWS = 2_000


def day(seed, rows=ROWS, tabs=(0.5, 0.3, 0.2), clicked=0.3, start=0):
    """Impressions of a day: 60 items, 400 people, three tabs, and numbers with a long tail."""
    rng = np.random.default_rng(seed)
    return {
        "item_id": [f"film-{i}" for i in np.minimum(rng.geometric(0.05, rows), 60) - 1],
        "user_id": [f"person-{i}" for i in rng.integers(0, 400, rows)],
        "timestamp": (start + np.sort(rng.integers(0, 1_000_000, rows))).tolist(),
        "clicked": (rng.random(rows) < clicked).astype(int).tolist(),
        "liked": (rng.random(rows) < 0.02).astype(int).tolist(),
        "tab": rng.choice(["home", "search", "app"], rows, p=tabs).tolist(),
        "price": rng.lognormal(1, 1, rows).tolist(),
        "seconds": rng.exponential(20, rows).tolist(),
    }


def statistics(columns):
    """Split -> statistics: the last tenth by time is `eval`."""
    from tensorflow_data_validation.statistics import stats_impl
    from tensorflow_data_validation.statistics import stats_options

    from semantic_id_ranking.components.example_gen.encode import to_record_batch

    kinds = {"timestamp": pa.int64(), "clicked": pa.int64(), "liked": pa.int64()}
    kinds |= {"price": pa.float32(), "seconds": pa.float32()}
    split = len(columns["timestamp"]) * 9 // 10
    found = {}
    for name, rows in (("train", slice(split)), ("eval", slice(split, None))):
        arrays = {}
        for column, values in columns.items():
            kind = kinds.get(column, pa.large_binary())
            given = values[rows]
            if any(isinstance(value, str) for value in given):
                kind, given = pa.large_binary(), [v if v is None else v.encode() for v in given]
            arrays[column] = pa.array(given, kind)
        found[name] = stats_impl.generate_statistics_in_memory(
            to_record_batch(arrays), stats_options.StatsOptions()
        )
    return found


@pytest.fixture(scope="module")
def before():
    return statistics(day(0))


def complaints(before, today, limits=None, **changes):
    from semantic_id_ranking.components.day_guard.compare import compare

    compared = dataclasses.replace(COMPARED, **changes)
    return compare(
        statistics(today),
        before,
        compared,
        limits or GuardConfig(),
        lambda ids: {i for i in ids if i in ITEMS},
    )


@pytest.mark.parametrize("seed", range(1, 4))
def test_an_undisturbed_day_passes(before, seed):
    assert complaints(before, day(seed)) == []


def test_a_weekend_passes(before):
    weekend = day(1, rows=3 * ROWS, tabs=(0.4, 0.3, 0.3), clicked=0.34)
    assert complaints(before, weekend) == []


def test_a_few_new_categories_and_items_pass(before):
    today = day(1)
    today["tab"] = ["new" if i % 7 == 0 else tab for i, tab in enumerate(today["tab"])]
    today["item_id"] = [f"new-{i}" if i % 4 == 0 else x for i, x in enumerate(today["item_id"])]
    assert complaints(before, today) == []


def test_the_last_tenth_of_a_day_is_not_compared_with_the_whole_days_of_a_log(before):
    today = day(1)
    today["tab"][ROWS * 9 // 10 :] = ["app"] * (ROWS // 10)
    assert complaints(before, today, earlier_is_log=True) == []
    (found,) = complaints(before, today)
    assert found.startswith("column tab: ")


def faulty(name, change):
    today = day(1)
    return today | {name: [change(value) for value in today[name]]}


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("clicked", lambda _: 0, "column clicked: 0.00% of the labels are 1, "),
        ("liked", lambda _: 0, "column liked: 0.00% of the labels are 1, "),
        ("clicked", lambda v: 1 - v, "column clicked: 7"),
        ("clicked", lambda _: None, "column clicked: 100.0% of the impressions have no value, "),
        ("price", lambda v: 1000 * v, "column price: the values, "),
        ("price", lambda v: f"{v:.2f}", "column price: the values are texts, "),
        ("seconds", lambda v: 1000 * v, "column seconds: the values, "),
        ("seconds", lambda _: None, "column seconds: 100.0% of the impressions have no value, "),
        ("tab", str.upper, "column tab: "),
        ("tab", {"home": "app", "app": "home"}.get, "column tab: "),
        ("user_id", lambda v: v[7:], "column person: 100.0% of the ids, such as "),
        ("item_id", lambda v: v[5:], "column film: 100.0% of the ids, such as "),
        ("item_id", lambda v: f"{v}-v2", "column film: 100.0% of the impressions are of items"),
    ],
)
@pytest.mark.parametrize("log", [False, True])
def test_a_planted_fault_is_named_by_its_column_alone(before, name, change, sentence, log):
    found = complaints(before, faulty(name, change), earlier_is_log=log)
    assert len(found) == 1
    assert found[0].startswith(sentence)
    assert "2024-01-01" in found[0] or "before the day" in found[0]


def test_the_sentence_of_a_label_gives_the_odds_that_are_allowed():
    # 540 of 1,800 were positive: with half a label more of each kind, odds of 540.5 / 1260.5;
    # over 1.5 that is .2859, a rate of .2223; times 1.5 it is .6432, one of .3914.
    label = [int(i % 10 < 3) for i in range(2_000)]
    today = [int(i % 10 < 7) for i in range(2_000)]
    found = complaints(statistics(day(0) | {"clicked": label}), day(1) | {"clicked": today})
    assert found == [
        "column clicked: 70.00% of the labels are 1, 30.00% were on 2024-01-01; 22.23% to 39.14% "
        "are allowed (guard.label_odds)"
    ]


def test_a_fault_in_the_last_tenth_alone_is_found(before):
    today = day(1)
    today["clicked"] = [*today["clicked"][:1800], *[0] * 200]
    (found,) = complaints(before, today)
    assert found.startswith("column clicked: 0.00% of the labels are 1")


@pytest.mark.parametrize("rows", [ROWS // 20, ROWS * 20])
def test_a_number_of_impressions_is_refused_after_a_day_but_not_after_a_log(before, rows):
    (found,) = complaints(before, day(1, rows=rows))
    assert found == (
        f"{rows:,} impressions, after 2,000 of 2024-01-01; 200 to 20,000 are allowed "
        "(guard.impressions)"
    )
    assert complaints(before, day(1, rows=rows), earlier_is_log=True) == []


def test_the_same_impressions_at_other_times_are_refused(before):
    again = day(0, start=86_400_000_000)
    order = np.random.default_rng(0).permutation(1800).tolist()
    # In another order too.
    again = {name: [*(v[i] for i in order), *v[1800:]] for name, v in again.items()}
    (found,) = complaints(before, again)
    assert found.startswith("the impressions are those of 2024-01-01 again, but for their times")
    assert complaints(before, again, GuardConfig(repeated=False)) == []
    again["clicked"][7] = 1 - again["clicked"][7]
    assert complaints(before, again) == []


def test_a_rare_label_may_be_missing_by_chance():
    # 2 of 1,000 and then none says nothing.
    rare = day(0) | {"liked": [int(i % 1000 == 5) for i in range(ROWS)]}
    assert complaints(statistics(rare), day(1) | {"liked": [0] * ROWS}) == []


def test_limits_that_never_stop(before):
    limits = GuardConfig(
        infinity_norm=1,
        jensen_shannon=1,
        label_odds=None,
        impressions=None,
        missing=1,
        unknown_items=1,
        integer_ids=1,
        repeated=False,
    )
    today = {
        "item_id": ["7"] * 100,
        "user_id": ["8"] * 100,
        "timestamp": list(range(100)),
        "clicked": [1] * 100,
        "liked": [1] * 100,
        "tab": ["TV"] * 100,
        "price": [1e6] * 100,
        "seconds": [1e6] * 100,
    }
    assert complaints(before, today, limits) == []
    assert {one.partition(":")[0] for one in complaints(before, today)} >= {
        "column clicked",
        "column tab",
        "column price",
        "column film",
        "column person",
    }
