"""Inputs of another file system, which Beam opens for DuckDB."""

import pyarrow as pa
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from tests.inputs import parquet_files
from tests.inputs import remote_files


@pytest.fixture
def far(tmp_path):
    remote_files.ROOT.append(tmp_path)
    yield tmp_path
    remote_files.ROOT.pop()


@pytest.mark.parametrize(
    "path", ["far://b/log", "far://b/log/", "far://b/log/**.parquet", "far://b/log/day=2/a.parquet"]
)
def test_folders_patterns_and_files_of_another_file_system(far, path):
    for day in range(1, 4):
        table = pa.table({"x": pa.array(range(day * 1000, day * 1000 + 300))})
        parquet_files.write(table, far / "b" / "log" / f"day={day}" / "a.parquet", 100)
    (far / "b" / "log" / "_SUCCESS").touch()
    data = DataSet.open(path)
    days = [2] if path.endswith("/a.parquet") else [1, 2, 3]
    assert [file.path for file in data.files] == [
        f"far://b/log/day={day}/a.parquet" for day in days
    ]
    wanted = {"x": ("x", uses.CARRIED), "day": ("day", uses.CATEGORIES)}
    batches = [batch for block in data.blocks(250) for _, _, batch in block.read(wanted)]
    assert [v for batch in batches for v in batch.column("x").to_pylist()] == [
        day * 1000 + i for day in days for i in range(300)
    ]
    found = {v for batch in batches for v in batch.column("day").to_pylist()}
    assert found == {b"%d" % day for day in days}
    again = Fingerprints().open_recorded(Fingerprints().record(data))
    assert again == data


def test_a_file_that_another_file_system_lacks(far):
    with pytest.raises(InputError, match=r"far://b/none\.parquet: no such file"):
        DataSet.open("far://b/none.parquet")
    (far / "text").write_text("no Parquet")
    with pytest.raises(InputError, match=r"far://text: is not a Parquet file"):
        DataSet.open("far://text")
