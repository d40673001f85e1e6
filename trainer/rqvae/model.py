"""The RQ-VAE."""

import numpy as np
import tensorflow as tf

from trainer.rqvae.config import RqVaeConfig
from trainer.rqvae.network import Network
from trainer.rqvae.quantizer import look_up
from trainer.rqvae.quantizer import Quantized
from trainer.rqvae.quantizer import residual_quantize
from trainer.sid_space import fingerprint
from trainer.sid_space import SidSpace


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

    Reference:
        Singh et al., "Better Generalization with Semantic IDs" (arXiv 2306.08121).
    """

    def __init__(self, config: RqVaeConfig, mean: np.ndarray, scale: np.ndarray):
        """Makes the variables; the codebooks are zero until training starts them.

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
        self.encoder = Network(dim, config.encoder_widths, width, config.seed)
        self.decoder = Network(width, config.encoder_widths[::-1], dim, config.seed + 1)
        shape = (config.levels, config.codebook_size, width)
        self.codebooks = tf.Variable(tf.zeros(shape), name="codebooks")

    @property
    def space(self) -> SidSpace:
        """The SID space of the weights as they are now."""
        levels, codes, _ = self.codebooks.shape
        weights = [variable.numpy() for variable in self.weights()]
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
        """Semantic IDs int32 [B, L] of content embeddings float32 [B, D]."""
        return self.quantize(embeddings).codes

    def decode(self, sids: tf.Tensor) -> tf.Tensor:
        """Content embeddings float32 [B, D] that Semantic IDs int32 [B, L] stand for."""
        latents = tf.reduce_sum(look_up(sids, self.codebooks), axis=0)
        return self.decoder(latents) * self.scale + self.mean

    def losses(
        self, standardized: tf.Tensor, beta: float, codebook_weight: float
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Loss of a batch: means over items and dimensions.

        loss = |dec(sum_l e_l + z - sg(z)) - x|² + sum_l (w |sg(r_l) - e_l|² + beta |r_l -
        sg(e_l)|²)

        The paper's straight-through estimator stops the reconstruction at the codes. Here its
        gradient goes to the encoder *and* to the chosen codes, which so learn from the decoded
        error of all levels together and not only from their own level's residual.

        Args:
            standardized: float32 [B, D].
            beta: Weight of the commitment loss.
            codebook_weight: Weight w of the codebook loss.

        Returns:
            The loss, its reconstruction term, and the codes int32 [B, L].
        """
        latents = self.encoder(standardized)
        codes, _, residuals = residual_quantize(tf.stop_gradient(latents), self.codebooks)
        vectors = look_up(codes, self.codebooks)
        quantized = tf.reduce_sum(vectors, axis=0)
        passed = quantized + latents - tf.stop_gradient(latents)
        reconstruction = tf.reduce_mean(tf.square(self.decoder(passed) - standardized))
        codebook = tf.reduce_mean(tf.square(tf.stack(residuals) - vectors), axis=[1, 2])
        fixed = tf.stop_gradient(vectors)
        before = tf.cumsum(fixed, axis=0, exclusive=True)
        commitment = tf.reduce_mean(tf.square(latents - before - fixed), axis=[1, 2])
        quantization = tf.reduce_sum(codebook_weight * codebook + beta * commitment)
        return reconstruction + quantization, reconstruction, codes


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
