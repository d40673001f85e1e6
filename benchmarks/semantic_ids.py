"""Semantic IDs and tokenizers of a data set, with nothing of its evaluation period in them."""

import tempfile

import numpy as np
import tensorflow as tf

from trainer.ranker.representations import SidResources
from trainer.rqvae.config import RqVaeConfig
from trainer.rqvae.model import RqVae
from trainer.rqvae.quantizer import map_slices
from trainer.rqvae.train import train
from trainer.rqvae.train import Training
from trainer.sid_space import SidSpace
from trainer.tokenizer.config import TokenizerConfig
from trainer.tokenizer.impressed_items import ImpressedItems
from trainer.tokenizer.train import train_tokenizer

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


def train_sids(
    ids: np.ndarray, embeddings: np.ndarray, training: np.ndarray, config: RqVaeConfig
) -> tuple[np.ndarray, SidSpace]:
    """Trains an RQ-VAE and encodes all items with it.

    Args:
        ids: [N] object (bytes).
        embeddings: float32 [N, D].
        training: bool [N], the items that it may see.
        config: The recipe.

    Returns:
        Semantic IDs int32 [N, L] and their space.
    """
    model = train_rqvae(ids, embeddings, training, config).model
    return encode(model, embeddings), model.space


def train_resources(
    ids: np.ndarray,
    sids: np.ndarray,
    counts: np.ndarray,
    rows: int,
    config: TokenizerConfig,
    space: SidSpace,
) -> SidResources:
    """What representations need besides their configuration, of the training period alone.

    Args:
        ids: [N] object (bytes).
        sids: int32 [N, L].
        counts: int64 [N], training impressions of each item.
        rows: Pieces of the tokenizer, at most; see `trainer.ranker.table_budget.tokenizer_rows`.
        config: SentencePiece's algorithm and the longest piece.
        space: The space of `sids`.

    Raises:
        ValueError: `rows` is too small for all codes.
    """
    shown = counts > 0
    with tempfile.TemporaryDirectory() as directory:
        train_tokenizer(sids[shown], counts[shown], rows, config, directory, space)
        tokenizer = SidResources.load(directory).tokenizer_model
    return SidResources(space, tokenizer, ImpressedItems.select(ids, sids, counts))
