"""Export of the RQ-VAE as the SavedModel `semantic_id`."""

import os

import tensorflow as tf

from trainer.rqvae.model import RqVae
from trainer.rqvae.quantizer import map_slices


def export(model: RqVae, directory: str) -> None:
    """Writes the SavedModel.

    Signatures:
        encode (also serving_default): `embedding` float32 [B, D] -> `sid` int32 [B, L].
        decode: `sid` int32 [B, L] -> `embedding` float32 [B, D].
        info: nothing -> `fingerprint` string, `levels`, `codebook_size`, `embedding_dim` int64.

    Args:
        model: The RQ-VAE.
        directory: Where to write it.
    """
    space = model.space

    @tf.function(
        input_signature=[tf.TensorSpec([None, space.embedding_dim], tf.float32, "embedding")]
    )
    def encode(embedding: tf.Tensor) -> dict[str, tf.Tensor]:
        sids = map_slices(model.encode, embedding)
        return {"sid": tf.ensure_shape(sids, [None, space.levels])}

    @tf.function(input_signature=[tf.TensorSpec([None, space.levels], tf.int32, "sid")])
    def decode(sid: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": model.decode(sid)}

    @tf.function(input_signature=[])
    def info() -> dict[str, tf.Tensor]:
        return {
            "fingerprint": tf.constant(space.fingerprint),
            "levels": tf.constant(space.levels, tf.int64),
            "codebook_size": tf.constant(space.codebook_size, tf.int64),
            "embedding_dim": tf.constant(space.embedding_dim, tf.int64),
        }

    signatures = {"serving_default": encode, "encode": encode, "decode": decode, "info": info}
    tf.saved_model.save(model, directory, signatures=signatures)
    space.save(os.path.join(directory, "assets.extra"))
