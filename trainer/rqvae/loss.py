"""The RQ-VAE's loss, and its gradient to the codes."""

from typing import NamedTuple

import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.quantizer import look_up
from semantic_id_ranking.trainer.rqvae.quantizer import nearest_codes
from semantic_id_ranking.trainer.rqvae.sinkhorn import balanced_codes

# Of the term that keeps given codes; docs/experiments/refresh.md compares weights.
_GIVEN_WEIGHT = 4.0


class Loss(NamedTuple):
    """Result of `rqvae_loss` for a batch of B items.

    Attributes:
        loss: float32 scalar, mean over items and dimensions.
        reconstruction: Its first term.
        codes: int32 [B, L].
        residuals: L tensors, float32 [B, d]: what each level was given.
    """

    loss: tf.Tensor
    reconstruction: tf.Tensor
    codes: tf.Tensor
    residuals: list[tf.Tensor]


def rqvae_loss(
    model: RqVae, rows: tf.Tensor, config: RqVaeConfig, given: tf.Tensor | None = None
) -> Loss:
    """Loss of a batch: means over items and dimensions.

    loss = |dec(sum_l e_l) - x|² + sum_l (w |sg(r_l) - e_l|² + beta |r_l - sg(e_l)|²)

    Where codes are given, those take part in place of the nearest ones, and a term is added that
    makes them the nearest: v sum_l (|sg(r_l) - e_l|² - min_k |sg(r_l) - e_lk|²).

    Args:
        model: The RQ-VAE.
        rows: float32 [B, D], standardised content embeddings.
        config: Its weights, its `gradient` and its `sinkhorn_epsilon`.
        given: int32 [B, L], the codes of items that are to keep them; -1: the nearest one.

    Returns:
        The loss and what it was made of.

    Reference:
        Singh et al. (arXiv 2306.08121).
    """
    latents = model.encoder(rows)
    fixed_latents = tf.stop_gradient(latents)
    codes, residuals = _codes(fixed_latents, model.codebooks, config.sinkhorn_epsilon, given)
    vectors = look_up(codes, model.codebooks)
    quantized = tf.reduce_sum(vectors, axis=0)
    passed = _PASS[config.gradient](latents, quantized)
    reconstruction = tf.reduce_mean(tf.square(model.decoder(passed) - rows))
    codebook = tf.reduce_mean(tf.square(tf.stack(residuals) - vectors), axis=[1, 2])
    fixed = tf.stop_gradient(vectors)
    before = tf.cumsum(fixed, axis=0, exclusive=True)
    commitment = tf.reduce_mean(tf.square(latents - before - fixed), axis=[1, 2])
    quantization = tf.reduce_sum(config.codebook_weight * codebook + config.beta * commitment)
    if given is not None:
        quantization += _GIVEN_WEIGHT * _excess(model.codebooks, residuals, vectors, given)
    return Loss(reconstruction + quantization, reconstruction, codes, residuals)


def _codes(
    latents: tf.Tensor, codebooks: tf.Tensor, sinkhorn_epsilon: float, given: tf.Tensor | None
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Codes [B, L] and the residuals that each level was given; no gradient passes."""
    codebooks = tf.stop_gradient(codebooks)
    codes, residuals = [], []
    residual = latents
    for level, codebook in enumerate(tf.unstack(codebooks)):
        residuals.append(residual)
        if sinkhorn_epsilon:
            codes.append(balanced_codes(residual, codebook, sinkhorn_epsilon))
        else:
            codes.append(nearest_codes(residual, codebook))
        if given is not None:
            codes[-1] = tf.where(given[:, level] >= 0, given[:, level], codes[-1])
        residual = residual - tf.gather(codebook, codes[-1])
    return tf.stack(codes, axis=1), residuals


def _excess(
    codebooks: tf.Tensor, residuals: list[tf.Tensor], vectors: tf.Tensor, given: tf.Tensor
) -> tf.Tensor:
    """How much farther given codes are than the nearest ones: squares, a mean over the batch."""
    total = 0.0
    for level, residual in enumerate(residuals):
        nearest = nearest_codes(residual, tf.stop_gradient(codebooks[level]))
        least = tf.square(residual - tf.gather(codebooks[level], nearest))
        farther = tf.reduce_mean(tf.square(residual - vectors[level]) - least, axis=1)
        total += tf.reduce_mean(tf.where(given[:, level] >= 0, farther, 0.0))
    return total


def _joint(latents: tf.Tensor, quantized: tf.Tensor) -> tf.Tensor:
    """To the encoder and to the codes: they learn from the decoded error of all levels together."""
    return quantized + latents - tf.stop_gradient(latents)


def _straight_through(latents: tf.Tensor, quantized: tf.Tensor) -> tf.Tensor:
    """To the encoder alone, as if quantisation were the identity: the paper's."""
    return latents + tf.stop_gradient(quantized - latents)


_PASS = {"joint": _joint, "straight_through": _straight_through}
