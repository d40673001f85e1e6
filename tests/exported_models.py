"""Small models, exported as the real ones are."""

import os
import pathlib

import numpy as np
import tensorflow as tf

from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.contracts.sid_space import ENCODED_FILE
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.warmup import write_warmup_requests

SPACE = SidSpace("abcdefabcdefabcd", levels=2, codebook_size=100, embedding_dim=2)


class Model(tf.Module):
    """`encode`: the floor of factor x embedding; `score`: factor x the embedding's first number."""

    def __init__(self, factor: float, fingerprint: str):
        super().__init__()
        self.factor = tf.Variable(factor)
        self.fingerprint = fingerprint

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="embedding")])
    def encode(self, embedding):
        return {"sid": tf.cast(tf.floor(self.factor * embedding), tf.int32)}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="embedding")])
    def score(self, embedding):
        return {"click": self.factor + embedding[:, 0]}

    @tf.function(input_signature=[])
    def info(self):
        return {"fingerprint": tf.constant(self.fingerprint)}


def export(
    path: str | os.PathLike, factor: float = 1.0, space: SidSpace = SPACE, info: str | None = None
) -> str:
    """Writes a SavedModel.

    Args:
        path: Where.
        factor: The one weight.
        space: What `sid_space.json` says.
        info: The fingerprint that the model itself gives, where it is another one.

    Returns:
        The path.
    """
    path = str(path)
    model = Model(factor, info or space.fingerprint)
    signatures = {"encode": model.encode, "score": model.score, "info": model.info}
    tf.saved_model.save(model, path, signatures=signatures)
    space.save(os.path.join(path, "assets.extra"))
    embeddings = np.array([[1.5, 2.5], [3.5, 99.5]], np.float32)
    sids = np.floor(factor * embeddings).astype(np.int32)
    np.savez(os.path.join(path, "assets.extra", ENCODED_FILE), embedding=embeddings, sid=sids)
    write_warmup_requests(path, "m")
    write_file_digests(path)
    return path


def flip_bit(file: str | os.PathLike, position: int) -> None:
    """Flips one bit of the byte at a position, counted from the end where it is negative."""
    content = bytearray(pathlib.Path(file).read_bytes())
    content[position] ^= 1
    pathlib.Path(file).write_bytes(content)
