"""The first look at the inputs, without TFX."""

import datetime
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.component_parameters import impression_parameters
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs
from tests.inputs import parquet_files
from tests.inputs.parquet_files import assert_says
from tests.inputs.parquet_files import days


@pytest.fixture
def items(tmp_path):
    return parquet_files.write(parquet_files.items(), tmp_path / "items.parquet")


def look(items, log, *overrides, **options):
    return look_at_inputs(str(items), str(log), load_config(None, overrides), **options)


def write_log(tmp_path, **columns):
    return parquet_files.write(parquet_files.impressions(**columns), tmp_path / "log.parquet")


def refused(items, log, *overrides, **options):
    with pytest.raises(InputError) as caught:
        look(items, log, *overrides, **options)
    return str(caught.value)


def test_good_inputs(items, tmp_path):
    inputs = look(items, write_log(tmp_path), "split.evaluation_fraction=0.2")
    assert inputs.evaluation_start == parquet_files.DAY_0 + datetime.timedelta(days=8)
    assert not inputs.has_current_item and not inputs.items_need_impressions
    assert inputs.notes == ()


@pytest.mark.parametrize("having", ["1", "2"])
def test_a_column_of_current_items_counts_whichever_file_has_it(items, tmp_path, having):
    log = parquet_files.impressions()
    current = log.append_column("current_item_id", pa.array(list("bcdabcdabc")))
    for name, rows in (("1", slice(0, 6)), ("2", slice(6, 10))):
        part = (current if name == having else log).slice(rows.start, rows.stop - rows.start)
        parquet_files.write(part, tmp_path / "log" / f"{name}.parquet")
    inputs = look(items, tmp_path / "log")
    assert inputs.has_current_item
    (note,) = inputs.notes
    lacking = {"1": "2", "2": "1"}[having]
    assert_says(note, f"{lacking}.parquet", "'current_item_id' is missing")


def test_a_folders_name_is_a_context_column(items, tmp_path):
    log = parquet_files.impressions()
    for day in range(10):
        parquet_files.write(
            log.slice(day, 1), tmp_path / "log" / f"country={day % 2}" / f"{day}.pq"
        )
    inputs = look(items, tmp_path / "log", "context.categorical=[country]")
    assert inputs.impressions.columns[-1] == "country"
    message = refused(items, tmp_path / "log", "context.numeric=[country]")
    assert_says(message, "column 'country'", "the type string", "a number")


def test_items_that_lack_creation_times_depend_on_the_impressions(tmp_path):
    items = parquet_files.write(
        parquet_files.items(created_at=days([0, None, 2, 3])), tmp_path / "items.parquet"
    )
    assert look(items, write_log(tmp_path)).items_need_impressions


@pytest.mark.parametrize(
    ("columns", "facts"),
    [
        ({"click": pa.array(["1"] * 10)}, ["'click'", "the type string", "0 or 1"]),
        ({"click": None}, ["'click'", "is missing", "`columns:`"]),
        ({"user_id": pa.array([0.5] * 10)}, ["'user_id'", "the type double"]),
        ({"timestamp": pa.array(range(10))}, ["'timestamp'", "the type int64"]),
        ({"timestamp": days([0, 1, 2, None, 4, 5, 6, 7, 8, 9])}, ["row 3 ", "found null"]),
        ({"timestamp": days([0, -19_723, *range(2, 10)])}, ["row 1 ", "1970-01-01"]),
        ({"timestamp": days([4] * 10)}, ["training split is empty", "2024-01-05"]),
    ],
)
def test_wrong_impressions(items, tmp_path, columns, facts):
    assert_says(refused(items, write_log(tmp_path, **columns)), "log.parquet", *facts)


@pytest.mark.parametrize(
    ("columns", "facts"),
    [
        ({"item_id": pa.array(list("abca"))}, ["row 3 ", "'a' again, first in row 0"]),
        ({"item_id": pa.array([*"abc", None])}, ["row 3 ", "found null"]),
        ({"embedding": pa.array([1, 2, 3, 4])}, ["'embedding'", "the type int64", "a list of"]),
        ({"created_at": pa.array([1, 2, 3, 4])}, ["'created_at'", "the type int64", "a timestamp"]),
    ],
)
def test_wrong_items(tmp_path, columns, facts):
    items = parquet_files.write(parquet_files.items(**columns), tmp_path / "items.parquet")
    assert_says(refused(items, write_log(tmp_path)), "items.parquet", *facts)


def test_bad_times_may_be_skipped(items, tmp_path):
    log = write_log(tmp_path, timestamp=days([0, -19_723, *range(2, 10)]))
    inputs = look(items, log, "split.evaluation_fraction=0.5", skip_bad=1)
    # Position floor(.5 * 9) = 4 of days 0, 2, 3, …, 9.
    assert inputs.evaluation_start == parquet_files.DAY_0 + datetime.timedelta(days=5)
    assert impression_parameters(load_config(), inputs).skip_bad == 1


def test_splits_without_rows(items, tmp_path):
    log = write_log(tmp_path)
    message = refused(items, log, "split.evaluation_start=2024-02-01")
    assert_says(message, "evaluation split is empty", "2024-02-01T00:00:00+00:00")
    message = refused(items, log, "split.evaluation_start=2024-01-01")
    assert_says(message, "training split is empty", "2024-01-01T00:00:00+00:00")


def test_the_look_imports_neither_tfx_nor_tensorflow(items, tmp_path):
    code = f"""
        import sys
        from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs
        from semantic_id_ranking.pipeline.load_config import load_config
        look_at_inputs({items!r}, {write_log(tmp_path)!r}, load_config())
        print(sorted({{"tfx", "tensorflow"}} & set(sys.modules)))
    """
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert printed.stdout == "[]\n"


def test_cost_is_linear_in_rows_whatever_their_row_groups(items, tmp_path, monkeypatch):
    """Each file is queried a fixed number of times, however many row groups it has."""
    from semantic_id_ranking.inputs import read

    queries = []
    query = read._query
    monkeypatch.setattr(read, "_query", lambda *args: queries.append(args) or query(*args))

    def count(row_group_size):
        rows = np.arange(2000)
        log = pa.table(
            {
                "user_id": pa.array([f"u{i % 7}" for i in rows]),
                "item_id": pa.array([list("abcd")[i % 4] for i in rows]),
                "timestamp": days((rows / 100).tolist()),
                "click": pa.array(rows % 2),
            }
        )
        path = parquet_files.write(log, tmp_path / "log.parquet", row_group_size)
        queries.clear()
        look(items, path)
        return len(queries)

    assert count(1) == count(2000)
