"""The split by time, worked out by hand."""

import datetime

import pytest

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet.evaluation_start import evaluation_start
from semantic_id_ranking.components.parquet.impressions import check_impressions
from tests.components import parquet_files
from tests.components.parquet_files import assert_says
from tests.components.parquet_files import days
from tests.components.parquet_files import impression_parameters


@pytest.mark.parametrize(("fraction", "day"), [(0.2, 8), (0.1, 9), (0.9, 1), (0.7, 3), (0.25, 7)])
def test_evaluation_start_is_exact(tmp_path, fraction, day):
    # The order in the file does not matter; neither does a cut into row groups.
    shuffled = days([3, 9, 0, 5, 7, 1, 8, 2, 6, 4])
    table = parquet_files.impressions(timestamp=shuffled)
    path = parquet_files.write(table, tmp_path / "log.parquet", row_group_size=3)
    start = evaluation_start(path, "timestamp", fraction)
    assert start == parquet_files.DAY_0 + datetime.timedelta(days=day)
    assert start.utcoffset() == datetime.timedelta(0)


def test_evaluation_start_among_ties(tmp_path):
    # Position floor(.7 * 10) = 7 is one of the four impressions of day 5.
    table = parquet_files.impressions(timestamp=days([0, 1, 2, 3, 5, 5, 5, 5, 6, 7]))
    path = parquet_files.write(table, tmp_path / "log.parquet")
    start = evaluation_start(path, "timestamp", 0.3)
    assert start == parquet_files.DAY_0 + datetime.timedelta(days=5)
    check_impressions(path, impression_parameters(evaluation_start=start.isoformat()))


def test_evaluation_start_of_a_log_without_a_past(tmp_path):
    table = parquet_files.impressions(timestamp=days([4] * 10))
    path = parquet_files.write(table, tmp_path / "log.parquet")
    with pytest.raises(InputError, match="training split is empty"):
        evaluation_start(path, "timestamp", 0.1)


def test_evaluation_start_names_a_missing_column(tmp_path):
    path = parquet_files.write(parquet_files.impressions(), tmp_path / "log.parquet")
    with pytest.raises(InputError) as caught:
        evaluation_start(path, "when", 0.1)
    assert_says(str(caught.value), "column 'when'", "timestamp, click")


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5])
def test_evaluation_fraction_out_of_range(fraction):
    with pytest.raises(ValueError, match=str(fraction)):
        evaluation_start("none", "timestamp", fraction)
