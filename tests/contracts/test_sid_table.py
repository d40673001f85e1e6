import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.contracts.sid_space import SidSpace

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


def test_what_is_written_with_digests_is_read_without(tmp_path):
    ids, sids = np.array(["x", "y"], object), np.array([[1, 2], [3, 4]], np.int32)
    table = sid_table.to_table(ids, sids, np.array([5, -6]), SPACE)
    pq.write_table(table, tmp_path / "a.parquet")
    read_ids, read_sids, space = sid_table.read(str(tmp_path / "a.parquet"))
    assert (read_ids.tolist(), read_sids.tolist(), space) == (["x", "y"], [[1, 2], [3, 4]], SPACE)
    (batch,) = sid_table.read_batches(sid_table.files(str(tmp_path)))
    assert [column.tolist() for column in batch] == [["x", "y"], [[1, 2], [3, 4]], [5, -6]]


def test_a_digest_is_of_all_bits_and_of_nothing_else():
    embeddings = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    digests = sid_table.digest(embeddings)
    assert len(set(digests.tolist())) == 4
    np.testing.assert_array_equal(sid_table.digest(embeddings[::-1])[::-1], digests)
    columns = sid_table.digest(np.asfortranarray(embeddings))
    np.testing.assert_array_equal(columns, digests)
    changed = embeddings.copy()
    changed[2, 1] = np.nextafter(changed[2, 1], np.float32(9))
    assert (sid_table.digest(changed) != digests).tolist() == [False, False, True, False]


def test_a_table_without_items_has_no_items(tmp_path):
    write(tmp_path / "a.parquet", pa.array([], pa.string()), [])
    ids, sids, _ = sid_table.read(str(tmp_path))
    assert ids.shape == (0,)
    assert sids.shape == (0, 2)
