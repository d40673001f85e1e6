import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components import sid_table
from trainer.sid_space import SidSpace
from trainer.sid_space import SidSpaceMismatchError

SPACE = SidSpace("0123456789abcdef", levels=2, codebook_size=8, embedding_dim=3)


def write(path, ids, sids, space=SPACE):
    schema = sid_table.schema(space)
    pq.write_table(pa.table([pa.array(ids), pa.array(sids, pa.list_(pa.int32()))], schema), path)


def test_reads_all_files_and_the_space(tmp_path):
    write(tmp_path / "a.parquet", ["x", "y"], [[1, 2], [3, 4]])
    write(tmp_path / "b.parquet", ["z"], [[5, 6]])
    ids, sids, space = sid_table.read(str(tmp_path))
    assert ids.tolist() == ["x", "y", "z"]
    np.testing.assert_array_equal(sids, [[1, 2], [3, 4], [5, 6]])
    assert space == SPACE


def test_refuses_files_of_two_spaces_and_names_both(tmp_path):
    write(tmp_path / "a.parquet", ["x"], [[1, 2]])
    write(tmp_path / "b.parquet", ["y"], [[1, 2]], SidSpace("f" * 16, 2, 8, 3))
    with pytest.raises(SidSpaceMismatchError, match=r"0123456789abcdef.*f{16}"):
        sid_table.read(str(tmp_path))


def test_refuses_a_folder_without_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no Parquet file"):
        sid_table.read(str(tmp_path))
