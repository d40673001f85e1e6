"""Items and an encoder for the benchmarks of serving."""

import numpy as np

from benchmarks.ranker_world import RankerWorld
from benchmarks.semantic_ids import encode
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.model import RqVae

# How many second and third codes go with one code before them, at most.
_SUCCESSORS = (32, 64)


def serving_world(
    items: int, levels: int, codebook_size: int, embedding_dim: int, history: int
) -> tuple[RankerWorld, RqVae]:
    """Makes an encoder without training it, and items that lie about where its codes lead.

    Codes are used by a power law, a code has few successors, and popularity follows a power law, so
    that a tokenizer finds pieces of several codes, as it does with trained encoders.

    Args:
        items: Number of items.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).
        embedding_dim: Length of an embedding (D).
        history: Items in a user's history.

    Returns:
        The items, with the Semantic IDs that the encoder gives them, and the encoder.
    """
    rng = np.random.default_rng(0)
    config = RqVaeConfig(levels=levels, codebook_size=codebook_size)
    encoder = RqVae(config, np.zeros(embedding_dim), np.ones(embedding_dim))
    spread = 0.6 ** np.arange(levels)[:, None, None]
    codebooks = spread * rng.normal(size=(levels, codebook_size, embedding_dim))
    encoder.codebooks.assign(codebooks)
    codes = _codes(rng, items, levels, codebook_size)
    embeddings = codebooks[np.arange(levels), codes].sum(axis=1).astype(np.float32)
    share = 1 / np.arange(1, items + 1)
    world = RankerWorld(
        ids=np.array([b"item%d" % i for i in range(items)], object),
        sids=encode(encoder, embeddings),
        embeddings=embeddings,
        counts=1 + rng.multinomial(10 * items, share / share.sum()),
        space=encoder.space,
        codebooks=encoder.codebooks.numpy(),
        history=history,
    )
    return world, encoder


def _codes(rng: np.random.Generator, items: int, levels: int, codebook_size: int) -> np.ndarray:
    """Codes [N, L]: the first by a power law, the next of a few that the one before allows."""
    share = 1 / np.sqrt(np.arange(1, codebook_size + 1))
    codes = rng.choice(codebook_size, (items, levels), p=share / share.sum())
    for level, successors in enumerate(_SUCCESSORS[: levels - 1], start=1):
        start = 7 * codes[:, level - 1]
        codes[:, level] = (start + codes[:, level] % successors) % codebook_size
    return codes
