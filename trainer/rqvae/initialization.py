"""Initialization of the linear maps and the codebooks."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.kmeans import refined
from semantic_id_ranking.trainer.rqvae.kmeans import residual_kmeans
from semantic_id_ranking.trainer.rqvae.mixtures import draw_mixtures
from semantic_id_ranking.trainer.rqvae.mixtures import mix
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.quantizer import nearest_codes

_VALIDATION_ITEMS = 20_000


def initialize_from_items(
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
    chosen, mixtures = _looked_at(rows, config, rng)
    alone = rows[chosen]
    if not len(mixtures):
        model.codebooks.assign(_codebooks(model, alone, config, rng))
        return config.mixup > 0
    with_mixtures = _codebooks(model, np.concatenate([alone, mixtures]), config, rng)
    if len(validation):
        without = _codebooks(model, alone, config, rng)
        latents = model.encoder(tf.constant(validation[:_VALIDATION_ITEMS]))
        if _error(latents, without) < _error(latents, with_mixtures):
            model.codebooks.assign(without)
            return False
    model.codebooks.assign(with_mixtures)
    return True


def initialize_from_model(
    model: RqVae,
    earlier: RqVae,
    codes: np.ndarray,
    rows: np.ndarray,
    validation: np.ndarray,
    config: RqVaeConfig,
    rng: np.random.Generator,
) -> bool:
    """Sets the linear maps of an earlier RQ-VAE, and its codebooks after some steps of k-means.

    Whether mixtures are of use is asked of the validation items, by one step with and one without,
    in both of which all codes are free. With mixtures, which hold no codes, there is one step, and
    training brings the items' codes back.

    Args:
        model: The RQ-VAE, with the earlier one's mean and scale.
        earlier: Of the same sizes.
        codes: int32 [N, L], those that the items have in these steps; -1: the nearest ones.
        rows: float32 [N, D], standardised content embeddings, as in `initialize_from_items`.
        validation: float32 [M, D], of other items.
        config: What the steps look at, and how many there are a level without mixtures.
        rng: Source of randomness.

    Returns:
        Whether mixtures are of use.
    """
    for variable, value in zip(model.weights(), earlier.weights(), strict=True):
        variable.assign(value)
    chosen, mixtures = _looked_at(rows, config, rng)
    before = earlier.codebooks.numpy()
    items = model.encoder(tf.constant(rows[chosen])).numpy()
    more = np.concatenate([items, model.encoder(tf.constant(mixtures)).numpy()])
    free = np.full((len(more), len(before)), -1, np.int32)
    useful = config.mixup > 0
    if len(mixtures) and len(validation):
        held_out = model.encoder(tf.constant(validation[:_VALIDATION_ITEMS]))
        errors = [
            _error(held_out, refined(part, before, free[: len(part)], 1)) for part in (items, more)
        ]
        useful = errors[1] <= errors[0]
    given = np.concatenate([codes[chosen], free[len(items) :]])
    if useful and len(mixtures):
        model.codebooks.assign(refined(more, before, given, 1))
    else:
        model.codebooks.assign(refined(items, before, codes[chosen], config.kmeans_iterations))
    return useful


def _looked_at(
    rows: np.ndarray, config: RqVaeConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Which of rows [N, D] a start looks at, int [n], and the mixtures float32 [m, D] beside."""
    chosen = rng.permutation(len(rows))[: config.kmeans_items]
    if not config.kmeans_mixtures:
        return chosen, rows[:0]
    drawn = draw_mixtures(len(chosen), config.kmeans_mixtures, 3, rng)
    centre = rows[chosen].mean(axis=0)
    return chosen, centre + mix(rows[chosen] - centre, *drawn)


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
