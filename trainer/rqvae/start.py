"""Where training starts: linear maps and codebooks."""

import numpy as np
import tensorflow as tf

from trainer.rqvae.config import RqVaeConfig
from trainer.rqvae.kmeans import residual_kmeans
from trainer.rqvae.mixtures import draw_mixtures
from trainer.rqvae.mixtures import mix
from trainer.rqvae.model import RqVae


def start(model: RqVae, rows: np.ndarray, config: RqVaeConfig, rng: np.random.Generator) -> None:
    """Sets the linear maps and the codebooks from the items.

    Args:
        model: The RQ-VAE, as its constructor leaves it.
        rows: float32 [N, D], standardised content embeddings.
        config: What the k-means start looks at.
        rng: Source of randomness.
    """
    _start_at_principal_axes(model, rows)
    chosen = rows[rng.permutation(len(rows))[: config.kmeans_items]]
    if config.kmeans_mixtures:
        drawn = draw_mixtures(len(chosen), config.kmeans_mixtures, 3, rng)
        centre = chosen.mean(axis=0)
        chosen = np.concatenate([chosen, centre + mix(chosen - centre, *drawn)])
    latents = model.encoder(tf.constant(chosen)).numpy()
    codebooks = residual_kmeans(latents, model.codebook_sizes, config.kmeans_iterations, rng)
    model.set_codebooks(codebooks)


def _start_at_principal_axes(model: RqVae, rows: np.ndarray) -> None:
    """Starts the linear maps of a latent narrower than the embedding.

    The identity, cut to fit, would drop all dimensions but the first; the principal axes of the
    standardised items [N, D] lose the least that a linear map of this width can.
    """
    dim, width = model.encoder.kernel.shape
    if width < dim:
        centred = rows - rows.mean(axis=0)
        # eigh sorts by increasing variance.
        axes = np.linalg.eigh(centred.T @ centred)[1][:, : -width - 1 : -1]
        model.encoder.kernel.assign(axes)
        model.decoder.kernel.assign(axes.T)
