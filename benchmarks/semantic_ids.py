"""Semantic IDs and tokenizers of a data set, with nothing of its evaluation period in them."""

import dataclasses

import numpy as np
import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.quantizer import map_slices
from semantic_id_ranking.trainer.rqvae.train import train
from semantic_id_ranking.trainer.rqvae.train import Training
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

# One item in so many decides when training stops, as in the pipeline.
_VALIDATION_SHARE = 20


def train_rqvae(
    ids: np.ndarray, embeddings: np.ndarray, training: np.ndarray, config: RqVaeConfig
) -> Training:
    """Trains an RQ-VAE.

    Args:
        ids: [N] object (bytes).
        embeddings: float32 [N, D].
        training: bool [N], the items that it may see.
        config: The recipe.
    """
    hashes = tf.strings.to_hash_bucket_fast(ids, _VALIDATION_SHARE).numpy()
    held_out = hashes == 0
    if not (training & held_out).any() or not (training & ~held_out).any():
        held_out = np.arange(len(ids)) % _VALIDATION_SHARE == 0
    return train(embeddings[training & ~held_out], embeddings[training & held_out], config)


def encode(model: RqVae, embeddings: np.ndarray) -> np.ndarray:
    """Semantic IDs int32 [N, L] of content embeddings float32 [N, D]."""
    in_slices = tf.function(lambda rows: map_slices(model.encode, rows))
    return in_slices(tf.constant(embeddings)).numpy()


@dataclasses.dataclass(frozen=True)
class Sids:
    """The Semantic IDs of all items.

    Attributes:
        sids: int32 [N, L].
        space: Their space.
        codebooks: float32 [L, K, m], those of the RQ-VAE.
    """

    sids: np.ndarray
    space: SidSpace
    codebooks: np.ndarray

    def twice(self) -> "Sids":
        """The same for a data set that has every item twice, one copy after the other."""
        return dataclasses.replace(self, sids=np.concatenate([self.sids, self.sids]))


def train_sids(
    ids: np.ndarray, embeddings: np.ndarray, training: np.ndarray, config: RqVaeConfig
) -> Sids:
    """Trains an RQ-VAE and encodes all items with it.

    Args:
        ids: [N] object (bytes).
        embeddings: float32 [N, D].
        training: bool [N], the items that it may see.
        config: The recipe.
    """
    model = train_rqvae(ids, embeddings, training, config).model
    return Sids(encode(model, embeddings), model.space, model.codebooks.numpy())


def train_resources(
    ids: np.ndarray, sids: Sids, counts: np.ndarray, rows: int, config: TokenizerConfig
) -> SidTokenizer:
    """Resources of representations besides their configuration, of the training period alone.

    Args:
        ids: [N] object (bytes).
        sids: Their Semantic IDs.
        counts: int64 [N], training impressions of each item.
        rows: Pieces of the tokenizer, at most; see
            `RepresentationConfig.tokenizer_rows`.
        config: SentencePiece's algorithm and the longest piece.

    Raises:
        ValueError: `rows` is too small for all codes.
    """
    return SidTokenizer.fit(sids.sids, counts, sids.space, rows, ids, sids.codebooks, config)
