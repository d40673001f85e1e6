"""Export of the RQ-VAE as the SavedModel `semantic_id`."""

import functools
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.contracts.sid_space import CODEBOOKS_FILE
from semantic_id_ranking.contracts.sid_space import ENCODED_FILE
from semantic_id_ranking.trainer.rqvae.bfloat16_search import Bfloat16Search
from semantic_id_ranking.trainer.rqvae.fast_encoder import FastEncoder
from semantic_id_ranking.trainer.rqvae.float32_search import Float32Search
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.processor import multiplies_bfloat16
from semantic_id_ranking.trainer.rqvae.quantizer import map_slices
from semantic_id_ranking.trainer.rqvae.training_profile import TrainingProfile
from semantic_id_ranking.trainer.warmup import write_warmup_requests

# Bytes of codebooks. A graph must stay below 2 GB, and holds them up to one and a half times.
_LARGEST_CONSTANTS = 1 << 29
# Of codes; with fewer, the product is too small a part of the search.
_LARGE_CODEBOOK = 1024
# Share of a sample's codes that the bfloat16 search has to find.
_AGREEMENT = 0.9999
_SAMPLE = 20_000
# Share of a small sample's codes that has to be settled in bfloat16; with fewer, the rows that are
# searched twice cost more than the others gain.
_CLEAR = 0.7
_SMALL_SAMPLE = 2_000
# Embeddings whose codes are kept, to be compared when the model is released.
_ENCODED = 64


def export(
    model: RqVae,
    directory: str,
    sample: np.ndarray | None = None,
    profile: TrainingProfile | None = None,
) -> None:
    """Writes the SavedModel.

    Signatures:
        encode (also serving_default): `embedding` float32 [B, D] -> `sid` int32 [B, L]; -1, which
            means no item, for an embedding with a number that is not finite.
        decode: `sid` int32 [B, L] -> `embedding` float32 [B, D].
        info: nothing -> `fingerprint` string, `levels`, `codebook_size`, `embedding_dim` int64.

    Beside it, `assets.extra/` has `sid_space.json`; `codebooks.npy`, float32 [L, K, m];
    `training_profile.npz`, if there is one; and, for `check_exported_model`, `encoded.npz` and
    `SHA256SUMS`.

    Args:
        model: The RQ-VAE.
        directory: Where to write it.
        sample: float32 [n, D], items by which to judge whether `encode` may search in bfloat16. It
            does if this machine multiplies bfloat16, the codebooks are large and the codes of the
            sample stay as they are; it then works on any machine, but is slow on one that does not.
            None: it does not.
        profile: Of the items that it was trained on, for DriftCheck; None: there is none.
    """
    space = model.space
    encode_all: Callable[[tf.Tensor], tf.Tensor] = functools.partial(map_slices, model.encode)
    if model.beam == 1 and model.codebooks.numpy().nbytes <= _LARGEST_CONSTANTS:
        fast = sample is not None and may_search_in_bfloat16(model, sample)
        encode_all = (
            FastEncoder(model, Bfloat16Search) if fast else FastEncoder(model, Float32Search)
        )

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
    tf.saved_model.save(model, directory, signatures=signatures)
    extra = os.path.join(directory, "assets.extra")
    space.save(extra)
    np.save(os.path.join(extra, CODEBOOKS_FILE), model.codebooks.numpy())
    if profile is not None:
        profile.save(extra)
    example = _embeddings_like(model)
    sids = encode(tf.constant(example))["sid"].numpy()
    np.savez(os.path.join(extra, ENCODED_FILE), embedding=example, sid=sids)
    write_warmup_requests(directory, "semantic_id")
    write_file_digests(directory)


def _embeddings_like(model: RqVae) -> np.ndarray:
    """Random embeddings with the mean and the spread of the items, float32 [64, D]."""
    mean = model.mean.numpy()
    noise = np.random.default_rng(0).normal(size=(_ENCODED, len(mean)))
    return (mean + model.scale.numpy() * noise).astype(np.float32)


def may_search_in_bfloat16(model: RqVae, sample: np.ndarray) -> bool:
    """Whether searching in bfloat16 is faster here and finds the codes of a sample [n, D]."""
    if model.beam > 1 or model.codebooks.shape[1] < _LARGE_CODEBOOK or not multiplies_bfloat16():
        return False
    encoder = FastEncoder(model, Bfloat16Search)
    if encoder.clear_share(sample[:_SMALL_SAMPLE]) < _CLEAR:
        return False
    return encoder.agreement(sample[:_SAMPLE]) >= _AGREEMENT
