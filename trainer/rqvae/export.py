"""Export of the RQ-VAE as the SavedModel `semantic_id`."""

import functools
import os
from typing import Literal

import tensorflow as tf

from trainer.rqvae.fast_encoder import FastEncoder
from trainer.rqvae.model import RqVae
from trainer.rqvae.processor import multiplies_bfloat16
from trainer.rqvae.quantizer import map_slices
from trainer.warmup import write_warmup_requests


def export(
    model: RqVae, directory: str, search: Literal["auto", "float32", "bfloat16"] = "auto"
) -> None:
    """Writes the SavedModel.

    Signatures:
        encode (also serving_default): `embedding` float32 [B, D] -> `sid` int32 [B, L].
        decode: `sid` int32 [B, L] -> `embedding` float32 [B, D].
        info: nothing -> `fingerprint` string, `levels`, `codebook_size`, `embedding_dim` int64.

    Args:
        model: The RQ-VAE.
        directory: Where to write it.
        search: How `encode` looks for the nearest codes. Either works on any machine; "bfloat16" is
            meant for a CPU that multiplies bfloat16 and is slow on one that does not. "auto" takes
            what suits this machine. A model with a beam always has the float32 search.
    """
    space = model.space
    if search == "auto":
        search = "bfloat16" if multiplies_bfloat16() else "float32"
    served = tf.Module()
    served.model = model
    encode_all = functools.partial(map_slices, model.encode)
    if search == "bfloat16" and model.beam == 1:
        served.encoder = encode_all = FastEncoder(model)

    @tf.function(
        input_signature=[tf.TensorSpec([None, space.embedding_dim], tf.float32, "embedding")]
    )
    def encode(embedding: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sid": tf.ensure_shape(encode_all(embedding), [None, space.levels])}

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
    tf.saved_model.save(served, directory, signatures=signatures)
    space.save(os.path.join(directory, "assets.extra"))
    write_warmup_requests(directory, "semantic_id")
