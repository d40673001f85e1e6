"""Recommendation of a Semantic ID size, from trials of a few."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae import analysis
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.quantizer import map_slices
from semantic_id_ranking.trainer.rqvae.train import train

#: Levels and codes a level that are tried, by the rows of a table of all codes.
SIZES = ((3, 256), (4, 256), (4, 512), (8, 256), (3, 1024), (4, 1024), (4, 2048))

_VALIDATION_SHARE = 20
# A level that leaves more of its codes unused has too many of them.
_ENOUGH_USE = 0.9
# Share of the items that could have a Semantic ID of their own and must have one.
_ENOUGH_UNIQUE = 0.95
# A narrower latent may leave so much more of the content behind.
_TOLERANCE = 1.02


@dataclasses.dataclass(frozen=True)
class Trial:
    """The result of one size.

    Attributes:
        levels: L.
        codebook_size: K.
        latent_dim: d.
        relative_error: |x - x_hat|² / |x - mean|² of the newest items, which were not trained on.
        unique_fraction: Share of all items with a Semantic ID of their own.
        codebook_use: Share of the codes in use at the level with the least.
        seconds: Wall time of the training.
    """

    levels: int
    codebook_size: int
    latent_dim: int
    relative_error: float
    unique_fraction: float
    codebook_use: float
    seconds: float

    @property
    def rows(self) -> int:
        """Rows of an embedding table with one row a code."""
        return self.levels * self.codebook_size


@dataclasses.dataclass(frozen=True)
class Choice:
    """The trial to take, and why."""

    trial: Trial
    reason: str


def measure(embeddings: np.ndarray, newest: np.ndarray, config: RqVaeConfig) -> Trial:
    """Trains an RQ-VAE and measures it.

    Args:
        embeddings: float32 [N, D].
        newest: bool [N], the items to measure the error on.
        config: Sizes and recipe.
    """
    older = embeddings[~newest]
    held_out = np.random.default_rng(config.seed).permutation(len(older)) % _VALIDATION_SHARE == 0
    training = train(older[~held_out], older[held_out], config)
    model = training.model
    sids = tf.function(lambda rows: map_slices(model.encode, rows))(tf.constant(embeddings)).numpy()
    return Trial(
        levels=config.levels,
        codebook_size=config.codebook_size,
        latent_dim=model.encoder.kernel.shape[1],
        relative_error=analysis.relative_error(
            embeddings[newest], model.decode(sids[newest]).numpy(), older.mean(axis=0)
        ),
        unique_fraction=analysis.unique_fraction(sids),
        codebook_use=min(training.codebook_use),
        seconds=training.seconds,
    )


def sizes_for(items: int) -> list[tuple[int, int]]:
    """The sizes of `SIZES` with no more codes a level than a half of the items."""
    return [size for size in SIZES if 2 * size[1] <= items] or [SIZES[0]]


def choose(trials: Sequence[Trial], attainable: float) -> Choice:
    """Chooses the smallest Semantic ID that tells items apart.

    Of the trials that use their codes and give nearly every item a Semantic ID of its own, it is
    the one with the fewest rows, and of equals the one with the smallest error. Memorising an item
    needs the one; a code that means something to many items, and so to a new one, the other.

    Args:
        trials: Not empty; one a size.
        attainable: Share of the items whose embedding no other item has.
    """
    used = [trial for trial in trials if trial.codebook_use >= _ENOUGH_USE]
    if not used:
        best = max(trials, key=lambda trial: trial.codebook_use)
        return Choice(
            best,
            f"no size has {_ENOUGH_USE:.0%} of its codes in use at every level; this one has the "
            f"most, {best.codebook_use:.0%}: there are few items, or few different ones",
        )
    enough = [trial for trial in used if trial.unique_fraction >= _ENOUGH_UNIQUE * attainable]
    if not enough:
        best = max(used, key=lambda trial: trial.unique_fraction)
        return Choice(
            best,
            f"of the sizes with {_ENOUGH_USE:.0%} of their codes in use it tells the most items "
            f"apart, {best.unique_fraction:.1%} (at most {attainable:.1%} can be); none reaches "
            f"{_ENOUGH_UNIQUE * attainable:.1%}",
        )
    best = min(enough, key=lambda trial: (trial.rows, trial.relative_error))
    return Choice(
        best,
        f"the fewest codes ({best.rows} in all) with which {best.unique_fraction:.1%} of the items "
        f"have a Semantic ID of their own (at most {attainable:.1%} can) and no level leaves more "
        f"than {1 - _ENOUGH_USE:.0%} of its codes unused",
    )


def choose_latent(trials: Sequence[Trial]) -> Choice:
    """Chooses the narrowest latent that loses nearly nothing; it encodes faster.

    Args:
        trials: Not empty; of one size and several widths.
    """
    least = min(trials, key=lambda trial: trial.relative_error)
    narrow = min(
        (t for t in trials if t.relative_error <= _TOLERANCE * least.relative_error),
        key=lambda trial: trial.latent_dim,
    )
    if narrow.latent_dim == max(trial.latent_dim for trial in trials):
        return Choice(
            narrow, f"every narrower latent costs more than {_TOLERANCE - 1:.0%} of the error"
        )
    return Choice(
        narrow,
        f"the narrowest latent whose error is within {_TOLERANCE - 1:.0%} of the best, "
        f"{least.relative_error:.4f} at {least.latent_dim}",
    )
