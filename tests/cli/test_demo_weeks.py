import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.cli.demo import weeks
from semantic_id_ranking.contracts.errors import InputError

WEEK = 7 * 86_400_000_000


def test_the_last_dense_weeks_have_no_gap_and_a_log_before_them():
    counts = {1: 9, 2: 9, 3: 9, 4: 9, 5: 2, 6: 9, 8: 9, 9: 1}
    assert weeks.last_dense(counts, length=2, least=5) == 3
    assert weeks.last_dense(counts, length=1, least=5) == 8
    with pytest.raises(InputError, match="no 4 successive weeks of at least 5"):
        weeks.last_dense(counts, length=4, least=5)


def test_each_week_has_its_ratings_and_the_log_those_before(tmp_path, monkeypatch):
    monkeypatch.setattr(weeks, "WEEKS", 2)
    monkeypatch.setattr(weeks, "LEAST_RATINGS", 2)
    times = np.array([10, 10.5, 11, 11.9, 12, 12.1, 13])
    microseconds = pa.array((times * WEEK).astype(np.int64), pa.timestamp("us", "UTC"))
    log = pa.table({"timestamp": microseconds, "row": np.arange(7)})
    pq.write_table(log, tmp_path / "log.parquet")
    written = weeks.write_weeks(str(tmp_path / "log.parquet"), str(tmp_path / "weeks"))
    rows = [
        pq.ParquetFile(path).read()["row"].to_pylist() for path in (written.log, *written.weeks)
    ]
    assert rows == [[0, 1], [2, 3], [4, 5]]
