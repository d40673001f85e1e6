"""One training step of the RQ-VAE."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.loss import Loss
from semantic_id_ranking.trainer.rqvae.loss import rqvae_loss
from semantic_id_ranking.trainer.rqvae.model import RqVae

_ADAM_BETAS = (0.9, 0.99)
# Items by whose latents the codebooks' learning rate is scaled.
_SCALE_ITEMS = 20_000


class TrainingStep:
    """Trains a model on one batch of mixtures of items.

    Rates and losses are relative to the size of the latents and the spread of the items: both are 1
    after standardisation, and whatever they are without.
    """

    def __init__(self, model: RqVae, rows: np.ndarray, config: RqVaeConfig, total_steps: int):
        """Makes the optimizers.

        Args:
            model: The RQ-VAE, started.
            rows: float32 [N, D], standardised content embeddings, not empty.
            config: The recipe.
            total_steps: Steps after which the learning rates are 0.
        """

        def optimizer(rate: float, decay: float) -> tf.keras.optimizers.Optimizer:
            return tf.keras.optimizers.AdamW(
                tf.keras.optimizers.schedules.CosineDecay(rate, total_steps),
                weight_decay=decay,
                beta_1=_ADAM_BETAS[0],
                beta_2=_ADAM_BETAS[1],
                jit_compile=False,
            )

        self._model, self._config = model, config
        latents = model.encoder(tf.constant(rows[:_SCALE_ITEMS]))
        size = float(tf.sqrt(tf.reduce_mean(tf.square(latents)))) or 1.0
        centre = rows.mean(axis=0)
        self._spread = float(np.square(rows - centre).mean()) or 1.0
        self._centre, self._centred = tf.constant(centre), tf.constant(rows - centre)
        self._networks = [*model.encoder.trainable_variables, *model.decoder.trainable_variables]
        self._of_codebooks = optimizer(config.codebook_learning_rate * size, 0.0)
        self._of_networks = optimizer(config.network_learning_rate, config.weight_decay)
        self._of_codebooks.build([model.codebooks])
        self._of_networks.build(self._networks)
        if config.codebook_update == "ema":
            self._counts = tf.Variable(tf.ones(model.codebooks.shape[:2]))
        self._random = tf.random.Generator.from_seed(config.seed)

    @tf.function(reduce_retracing=True)
    def __call__(
        self, numbers: tf.Tensor, factors: tf.Tensor, kept: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Trains on a batch of B mixtures of P items.

        Args:
            numbers: int32 [B, P], of items.
            factors: float32 [B, P], of the items, as `draw_mixtures` draws them.
            kept: int32 [B], levels from which each mixture is reconstructed.

        Returns:
            The loss, a scalar, and the codes int32 [B, L].
        """
        items = tf.gather(self._centred, numbers)
        batch = tf.reduce_sum(factors[:, :, None] * items, axis=1) + self._centre
        with tf.GradientTape() as tape:
            result = rqvae_loss(self._model, batch, kept, self._config)
            loss = result.loss / self._spread
        codebooks = self._model.codebooks
        gradients = tape.gradient(loss, [codebooks, *self._networks])
        if self._config.codebook_update == "ema":
            self._move_to_average(result)
        else:
            # Dense: AdamW has no sparse update, and every level is touched in every step anyway.
            self._of_codebooks.apply_gradients([(tf.convert_to_tensor(gradients[0]), codebooks)])
        if self._config.network_learning_rate:
            self._of_networks.apply_gradients(zip(gradients[1:], self._networks, strict=True))
        if self._config.reset_dead_codes == "batch":
            self._restart_unused(result)
        return loss, result.codes

    def _move_to_average(self, result: Loss) -> None:
        """Moves each code to the moving average of the residuals that it was nearest to."""
        codebooks = self._model.codebooks
        counts, sums = _count_and_sum(result, codebooks.shape[1])
        kept = self._config.ema_decay * self._counts
        added = 1 - self._config.ema_decay
        self._counts.assign(kept + added * counts)
        total = kept[:, :, None] * codebooks + added * sums
        average = tf.math.divide_no_nan(total, self._counts[:, :, None])
        codebooks.assign(tf.where(self._counts[:, :, None] > 0, average, codebooks))

    def _restart_unused(self, result: Loss) -> None:
        """Restarts the codes that the batch did not use at random residuals of the batch."""
        levels, size, _ = self._model.codebooks.shape
        counts, _ = _count_and_sum(result, size)
        exists = tf.sequence_mask(self._model.codebook_sizes, size)
        batch = tf.shape(result.codes)[0]
        chosen = self._random.uniform([levels, size], 0, batch, tf.int32)
        restarted = tf.gather(tf.stack(result.residuals), chosen, batch_dims=1)
        unused = ((counts == 0) & exists)[:, :, None]
        self._model.codebooks.assign(tf.where(unused, restarted, self._model.codebooks))


def _count_and_sum(result: Loss, codebook_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """How many residuals each code has in the batch, [L, K], and their sum, [L, K, d]."""
    residuals = tf.stack(result.residuals)
    levels, _, width = residuals.shape
    segment = tf.transpose(result.codes) + tf.range(levels)[:, None] * codebook_size
    segment = tf.reshape(segment, [-1])
    flat = tf.reshape(residuals, [-1, width])
    segments = levels * codebook_size
    counts = tf.math.unsorted_segment_sum(tf.ones_like(flat[:, 0]), segment, segments)
    sums = tf.math.unsorted_segment_sum(flat, segment, segments)
    return (
        tf.reshape(counts, [levels, codebook_size]),
        tf.reshape(sums, [levels, codebook_size, width]),
    )
