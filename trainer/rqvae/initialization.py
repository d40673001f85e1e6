"""Initialization of the linear maps and the codebooks."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.kmeans import residual_kmeans
from semantic_id_ranking.trainer.rqvae.mixtures import draw_mixtures
from semantic_id_ranking.trainer.rqvae.mixtures import mix
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.quantizer import nearest_codes

_VALIDATION_ITEMS = 20_000


def initialize(
    model: RqVae,
    rows: np.ndarray,
    validation: np.ndarray,
    config: RqVaeConfig,
    rng: np.random.Generator,
) -> bool:
    """Initializes the linear maps and the codebooks from the items.

    Mixtures of items stand for items that have not been seen. They do where items fill a space, and
    not where they are clusters with nothing in between: k-means runs with and without them, and
    the validation items choose.

    Args:
        model: The RQ-VAE, as its constructor leaves it.
        rows: float32 [N, D], standardised content embeddings.
        validation: float32 [M, D], of other items; where there are none, mixtures are used.
        config: The options of the k-means initialization.
        rng: Source of randomness.

    Returns:
        Whether mixtures are of use.
    """
    _initialize_principal_axes(model, rows)
    chosen = rows[rng.permutation(len(rows))[: config.kmeans_items]]
    if not config.kmeans_mixtures:
        model.codebooks.assign(_codebooks(model, chosen, config, rng))
        return config.mixup > 0
    drawn = draw_mixtures(len(chosen), config.kmeans_mixtures, 3, rng)
    centre = chosen.mean(axis=0)
    more = np.concatenate([chosen, centre + mix(chosen - centre, *drawn)])
    with_mixtures = _codebooks(model, more, config, rng)
    if len(validation):
        alone = _codebooks(model, chosen, config, rng)
        latents = model.encoder(tf.constant(validation[:_VALIDATION_ITEMS]))
        if _error(latents, alone) < _error(latents, with_mixtures):
            model.codebooks.assign(alone)
            return False
    model.codebooks.assign(with_mixtures)
    return True


def _codebooks(
    model: RqVae, rows: np.ndarray, config: RqVaeConfig, rng: np.random.Generator
) -> list[np.ndarray]:
    latents = model.encoder(tf.constant(rows)).numpy()
    sizes = [config.codebook_size] * config.levels
    return residual_kmeans(latents, sizes, config.kmeans_iterations, rng)


def _error(latents: tf.Tensor, codebooks: list[np.ndarray]) -> float:
    """Mean squared residual after all levels."""
    for codebook in map(tf.constant, codebooks):
        latents -= tf.gather(codebook, nearest_codes(latents, codebook))
    return float(tf.reduce_mean(tf.square(latents)))


def _initialize_principal_axes(model: RqVae, rows: np.ndarray) -> None:
    """Initializes the linear maps of a latent narrower than the embedding.

    A truncated identity would drop all dimensions but the first; the principal axes of the
    standardised items [N, D] lose the least that a linear map of this width can.
    """
    dim, width = model.encoder.kernel.shape
    if width < dim:
        centred = rows - rows.mean(axis=0)
        # eigh sorts by increasing variance.
        axes = np.linalg.eigh(centred.T @ centred)[1][:, : -width - 1 : -1]
        model.encoder.kernel.assign(axes)
        model.decoder.kernel.assign(axes.T)
