"""A semantic_id SavedModel whose codes are known: the floor of each of two numbers."""

import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace

SPACE = SidSpace("abcdefabcdefabcd", levels=2, codebook_size=100, embedding_dim=2)


def save_model(path, space=SPACE):
    """Writes the SavedModel and returns its path."""
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="embedding")])
    def encode(embedding):
        return {"sid": tf.cast(tf.floor(embedding), tf.int32)}

    tf.saved_model.save(module, str(path), signatures={"encode": encode})
    space.save(f"{path}/assets.extra")
    write_file_digests(str(path))
    return str(path)


def write_items(path, embeddings, ids=None, row_group_size=100, kind=None):
    """Writes columns `film` and `vector` in several row groups; returns the path."""
    table = pa.table(
        {
            "film": pa.array(ids or [f"f{i}" for i in range(len(embeddings))]),
            "vector": pa.array(embeddings, kind or pa.list_(pa.float32())),
        }
    )
    pq.write_table(table, path, row_group_size=row_group_size)
    return str(path)
