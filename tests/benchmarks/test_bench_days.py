import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.day_parts import DAY
from benchmarks.day_parts import DayParts
from benchmarks.day_parts import FIRST_DAY
from benchmarks.day_parts import part_bounds
from benchmarks.day_parts import start_of
from benchmarks.day_parts import to_days
from benchmarks.days import judged
from benchmarks.days import ratio
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config


def test_parts_have_about_equal_counts_and_equal_times_together():
    times = np.array([7, 1, 4, 4, 4, 2, 9, 8, 5])
    # 1 2 | 4 4 4 5 | 7 8 9: the second part would begin amid the fours.
    assert part_bounds(times, 3).tolist() == [1, 4, 7, 10]


def test_too_few_times_are_refused():
    with pytest.raises(InputError, match="divide into 3 parts"):
        part_bounds(np.array([1, 1, 1, 1, 2, 3]), 3)


def test_a_part_becomes_a_day_in_order_and_linearly():
    bounds = np.array([100, 200, 1_000])
    days = to_days(np.array([0, 100, 150, 199, 200, 600, 999, 5_000]), bounds)
    expected = [0, 0, 0.5, 0.99, 1, 1.5, 1 + 799 / 800, 1 + 799 / 800]
    np.testing.assert_allclose(days / DAY - FIRST_DAY, expected, atol=1e-9)


def test_long_parts_keep_the_order():
    rng = np.random.default_rng(0)
    times = np.sort(rng.integers(1_000 * DAY, 6_000 * DAY, 5_000))
    bounds = part_bounds(times, 14)
    days = to_days(times, bounds)
    assert (np.diff(days) >= 0).all()
    counts = np.bincount(days // DAY - FIRST_DAY)
    assert len(counts) == 14 and counts.max() - counts.min() <= 1


def test_the_start_of_a_part_is_that_of_its_day():
    start = datetime.datetime.fromisoformat(start_of(3))
    assert start.timestamp() * 1_000_000 == (FIRST_DAY + 3) * DAY


def test_items_come_with_their_creation_or_their_first_impression(tmp_path):
    def at(seconds):
        return pa.array(np.array(seconds) * 1_000_000 + 1_000 * DAY, pa.timestamp("us", "UTC"))

    items = pa.table(
        {
            "item_id": ["old", "later", "early_impression", "never"],
            "created_at": at([-50, 6, 99, 1_000]),
        }
    )
    log = pa.table(
        {
            "user_id": ["u"] * 4,
            "item_id": ["old", "early_impression", "later", "unknown"],
            "timestamp": at([0, 2, 6, 8]),
        }
    )
    pq.write_table(items, tmp_path / "items.parquet")
    pq.write_table(log, tmp_path / "log.parquet")
    parts = DayParts(str(tmp_path / "items.parquet"), str(tmp_path / "log.parquet"), Config(), 2)

    def of(end):
        return pq.read_table(parts.write_items(str(tmp_path / "out" / "i.parquet"), end))["item_id"]

    assert parts.counts.tolist() == [2, 2]
    assert of(1).to_pylist() == ["old", "early_impression"]
    assert of(2).to_pylist() == ["old", "later", "early_impression"]
    second = pq.read_table(parts.write_impressions(str(tmp_path / "out" / "l.parquet"), 1, 2))
    assert second["item_id"].to_pylist() == ["later", "unknown"]
    moved = pq.read_table(parts.write_last(str(tmp_path / "out" / "l.parquet"), 3, day=2))
    assert moved["item_id"].to_pylist() == ["early_impression", "later", "unknown"]
    days = moved["timestamp"].cast(pa.int64()).to_numpy() // DAY
    assert (days == FIRST_DAY + 2).all()


def test_cpu_seconds_are_summed_before_they_are_divided():
    days = [
        {"daily": {"cpu_seconds": 30}, "full": {"cpu_seconds": 100}},
        {"daily": {"cpu_seconds": 50}, "full": {"cpu_seconds": 300}},
    ]
    assert ratio(days, {}) == {"as_it_is": 0.2}
    assert ratio(days, {"daily": 25, "full": 50})["less_fixed"] == pytest.approx(0.1)


@pytest.mark.parametrize(("negatives", "expected"), [(49, None), (50, 0.6), (None, None)])
def test_a_slice_needs_50_of_each_class(negatives, expected):
    assert judged({"auc": 0.6, "positives": 70, "negatives": negatives}) == expected
