"""The RQ-VAE."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import fingerprint
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.rqvae.beam_search import beam_codes
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.linear_map import LinearMap
from semantic_id_ranking.trainer.rqvae.quantizer import look_up
from semantic_id_ranking.trainer.rqvae.quantizer import of_finite
from semantic_id_ranking.trainer.rqvae.quantizer import Quantized
from semantic_id_ranking.trainer.rqvae.quantizer import residual_quantize


class RqVae(tf.Module):
    """Residual-quantised variational autoencoder of content embeddings.

    An embedding is standardised and encoded; each level's code is the nearest one to what the
    levels before left over; the decoder reconstructs the embedding from the sum of the codes'
    vectors.

    Attributes:
        mean: float32 [D], subtracted from the input.
        scale: float32 [D], by which it is then divided; never 0.
        encoder: [., D] -> [., d].
        decoder: [., d] -> [., D].
        codebooks: float32 [L, K, d].
        beam: Prefixes kept by the beam search that chooses the codes; 1 is no beam.

    Reference:
        Singh et al., "Better Generalization with Semantic IDs" (arXiv 2306.08121).
    """

    def __init__(self, config: RqVaeConfig, mean: np.ndarray, scale: np.ndarray):
        """Makes the variables; the codebooks are zero until training initializes them.

        Args:
            config: Sizes.
            mean: [D].
            scale: [D], positive.
        """
        super().__init__()
        dim = len(mean)
        width = config.latent_dim or dim
        self.mean = tf.Variable(mean.astype(np.float32), trainable=False, name="mean")
        self.scale = tf.Variable(scale.astype(np.float32), trainable=False, name="scale")
        self.encoder = LinearMap(dim, width)
        self.decoder = LinearMap(width, dim)
        self.beam = config.beam
        shape = (config.levels, config.codebook_size, width)
        self.codebooks = tf.Variable(tf.zeros(shape), name="codebooks")

    @property
    def space(self) -> SidSpace:
        """The SID space of the weights as they are now."""
        levels, codes, _ = self.codebooks.shape
        weights = [variable.numpy() for variable in self.weights()]
        # The beam decides the codes too: two of them are two spaces.
        weights += [np.array(self.beam)] if self.beam > 1 else []
        return SidSpace(fingerprint(weights), levels, codes, self.mean.shape[0])

    def weights(self) -> list[tf.Variable]:
        """All variables, in a fixed order."""
        networks = [*self.encoder.variables, *self.decoder.variables]
        return [self.mean, self.scale, *networks, self.codebooks]

    def standardized(self, embeddings: tf.Tensor) -> tf.Tensor:
        """Content embeddings [B, D] as the encoder takes them."""
        return (embeddings - self.mean) / self.scale

    def quantize(self, embeddings: tf.Tensor) -> Quantized:
        """Codes, sum of the codes' vectors and residuals of content embeddings [B, D]."""
        return residual_quantize(self.encoder(self.standardized(embeddings)), self.codebooks)

    def encode(self, embeddings: tf.Tensor) -> tf.Tensor:
        """Semantic IDs int32 [B, L] of content embeddings float32 [B, D].

        An embedding with a number that is not finite has the codes -1, which mean no item.
        """
        latents = self.encoder(self.standardized(embeddings))
        if self.beam > 1:
            return of_finite(beam_codes(latents, self.codebooks, self.beam), latents)
        return of_finite(residual_quantize(latents, self.codebooks).codes, latents)

    def decode(self, sids: tf.Tensor) -> tf.Tensor:
        """Content embeddings float32 [B, D] that Semantic IDs int32 [B, L] stand for."""
        latents = tf.reduce_sum(look_up(sids, self.codebooks), axis=0)
        return self.decoder(latents) * self.scale + self.mean


def standardization(embeddings: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale of a set of embeddings.

    Args:
        embeddings: [N, D].
        kind: "center", "dimension" or "none"; see `RqVaeConfig.standardize`.

    Returns:
        Mean [D] and scale [D]; a dimension, or a set, without spread has the scale 1.
    """
    dim = embeddings.shape[1]
    if kind == "none":
        return np.zeros(dim), np.ones(dim)
    mean = embeddings.mean(axis=0, dtype=np.float64)
    variance = np.square(embeddings - mean).mean(axis=0)
    if kind == "center":
        variance = np.full(dim, variance.mean())
    # What is left of a constant column after rounding is noise: it must not be blown up.
    noise = np.square(1e-6 * np.abs(mean))
    return mean, np.sqrt(np.where(variance > noise, variance, 1.0))
