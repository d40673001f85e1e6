"""Batch encoding on Beam, with a SavedModel whose codes are known: floor of each of two numbers."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components import sid_table
from components.errors import InputError
from components.semantic_id_gen.batch import encode_parquet
from trainer.sid_space import SidSpace

SPACE = SidSpace("abcdefabcdefabcd", levels=2, codebook_size=100, embedding_dim=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="embedding")])
    def encode(embedding):
        return {"sid": tf.cast(tf.floor(embedding), tf.int32)}

    path = str(tmp_path_factory.mktemp("model"))
    tf.saved_model.save(module, path, signatures={"encode": encode})
    SPACE.save(f"{path}/assets.extra")
    return path


def write_items(path, embeddings, ids=None):
    table = pa.table(
        {
            "film": pa.array(ids or [f"f{i}" for i in range(len(embeddings))]),
            "vector": pa.array(embeddings, pa.list_(pa.float32())),
        }
    )
    # Several row groups, so that the rows counted in messages are those of the file.
    pq.write_table(table, path, row_group_size=100)
    return str(path)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_item_once_with_its_codes(model, tmp_path, workers):
    embeddings = np.random.default_rng(0).uniform(0, 99, (950, 2)).astype(np.float32)
    items = write_items(tmp_path / "items.parquet", embeddings.tolist())
    prefix = str(tmp_path / "out" / "sids")
    (tmp_path / "out").mkdir()
    count, space = encode_parquet(model, items, prefix, "film", "vector", workers)
    assert (count, space) == (950, SPACE)
    ids, sids, written = sid_table.read(str(tmp_path / "out"))
    assert written == SPACE
    order = np.argsort([int(item[1:]) for item in ids])
    assert [ids[i] for i in order] == [f"f{i}" for i in range(950)]
    np.testing.assert_array_equal(sids[order], np.floor(embeddings).astype(np.int32))


@pytest.mark.parametrize(
    ("row", "value", "facts"),
    [
        (150, [1.0, float("nan")], ["row 150", "nan", "position 1"]),
        (7, [1.0], ["row 7", "length 1", "length 2"]),
        (230, None, ["row 230", "null"]),
    ],
)
def test_a_bad_item_is_named_and_nothing_is_written(model, tmp_path, row, value, facts):
    embeddings = [[1.0, 2.0]] * 250
    embeddings[row] = value
    items = write_items(tmp_path / "items.parquet", embeddings)
    with pytest.raises(InputError) as caught:
        encode_parquet(model, items, str(tmp_path / "sids"), "film", "vector", 1)
    for fact in ["items.parquet", "vector", *facts]:
        assert fact in str(caught.value)
    assert not list(tmp_path.glob("sids*"))


def test_an_item_that_comes_twice_is_named(model, tmp_path):
    ids = [f"f{i}" for i in range(250)]
    ids[240] = "f3"
    items = write_items(tmp_path / "items.parquet", [[1.0, 2.0]] * 250, ids)
    with pytest.raises(InputError, match=r"row 240.*'f3' again, first in row 3"):
        encode_parquet(model, items, str(tmp_path / "sids"), "film", "vector", 1)
