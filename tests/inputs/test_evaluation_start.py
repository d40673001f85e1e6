"""The split by time, worked out by hand."""

import datetime

import numpy as np
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.evaluation_start import evaluation_start
from semantic_id_ranking.inputs.evaluation_start import impression_times
from semantic_id_ranking.inputs.impressions import check_impressions
from tests.inputs import parquet_files
from tests.inputs.parquet_files import assert_says
from tests.inputs.parquet_files import days
from tests.inputs.parquet_files import impression_parameters


@pytest.mark.parametrize(("fraction", "day"), [(0.2, 8), (0.1, 9), (0.9, 1), (0.7, 3), (0.25, 7)])
def test_evaluation_start_is_exact(tmp_path, fraction, day):
    # The order in the file does not matter; neither does a division into row groups.
    shuffled = days([3, 9, 0, 5, 7, 1, 8, 2, 6, 4])
    table = parquet_files.impressions(timestamp=shuffled)
    path = parquet_files.write(table, tmp_path / "log.parquet", row_group_size=3)
    start = evaluation_start(impression_times(DataSet.open(path), "timestamp"), fraction)
    assert start == parquet_files.DAY_0 + datetime.timedelta(days=day)
    assert start.utcoffset() == datetime.timedelta(0)


def test_evaluation_start_among_ties(tmp_path):
    # Position floor(.7 * 10) = 7 is one of the four impressions of day 5.
    table = parquet_files.impressions(timestamp=days([0, 1, 2, 3, 5, 5, 5, 5, 6, 7]))
    path = parquet_files.write(table, tmp_path / "log.parquet")
    log = DataSet.open(path)
    start = evaluation_start(impression_times(log, "timestamp"), 0.3)
    assert start == parquet_files.DAY_0 + datetime.timedelta(days=5)
    check_impressions(log, impression_parameters(evaluation_start=start.isoformat()))


def test_times_name_a_missing_column(tmp_path):
    path = parquet_files.write(parquet_files.impressions(), tmp_path / "log.parquet")
    with pytest.raises(InputError) as caught:
        impression_times(DataSet.open(path), "when")
    assert_says(str(caught.value), "column 'when'", "timestamp, click")


def test_times_of_bad_rows_do_not_count(tmp_path):
    table = parquet_files.impressions(timestamp=days([0, None, 2, 3, -19_723, 5, 6, 7, 8, 9]))
    log = DataSet.open(parquet_files.write(table, tmp_path / "log.parquet"))
    with pytest.raises(InputError, match="More than 1 impressions are bad"):
        impression_times(log, "timestamp", skip_bad=1)
    times = impression_times(log, "timestamp", skip_bad=2)
    # Position floor(.5 * 8) = 4 of days 0, 2, 3, 5, 6, 7, 8, 9.
    assert evaluation_start(times, 0.5) == parquet_files.DAY_0 + datetime.timedelta(days=6)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5])
def test_evaluation_fraction_out_of_range(fraction):
    with pytest.raises(ValueError, match=str(fraction)):
        evaluation_start(np.arange(3), fraction)
