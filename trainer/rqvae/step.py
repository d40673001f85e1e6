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

    def __init__(
        self,
        model: RqVae,
        rows: np.ndarray,
        config: RqVaeConfig,
        total_steps: int,
        codes: np.ndarray | None = None,
    ):
        """Makes the optimizers.

        Args:
            model: The RQ-VAE, initialized.
            rows: float32 [N, D], standardised content embeddings, not empty.
            config: The recipe.
            total_steps: Steps after which the learning rates are 0.
            codes: int32 [N, L], those that the items are to keep; -1, and None: any.
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
        self._codes = None if codes is None else tf.constant(codes)
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
        self._random = tf.random.Generator.from_seed(config.seed)

    @tf.function(reduce_retracing=True)
    def __call__(self, numbers: tf.Tensor, factors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Trains on a batch of B mixtures of P items.

        Args:
            numbers: int32 [B, P], of items.
            factors: float32 [B, P], of the items, as `draw_mixtures` draws them.

        Returns:
            The loss, a scalar, and the codes int32 [B, L].
        """
        items = tf.gather(self._centred, numbers)
        batch = tf.reduce_sum(factors[:, :, None] * items, axis=1) + self._centre
        given = None
        if self._codes is not None:
            # A mixture has no code to keep.
            plain = factors[:, 1:] == 0.0
            given = tf.where(plain, tf.gather(self._codes, numbers[:, 0]), -1)
        with tf.GradientTape() as tape:
            result = rqvae_loss(self._model, batch, self._config, given)
            loss = result.loss / self._spread
        codebooks = self._model.codebooks
        gradients = tape.gradient(loss, [codebooks, *self._networks])
        # Dense: AdamW has no sparse update, and every level is touched in every step anyway.
        self._of_codebooks.apply_gradients([(tf.convert_to_tensor(gradients[0]), codebooks)])
        if self._config.network_learning_rate:
            self._of_networks.apply_gradients(zip(gradients[1:], self._networks, strict=True))
        if self._config.reset_dead_codes == "batch":
            self._reset_unused(result)
        return loss, result.codes

    def _reset_unused(self, result: Loss) -> None:
        """Resets the codes that the batch did not use to random residuals of the batch."""
        levels, size, _ = self._model.codebooks.shape
        counts = _counts(result.codes, size)
        batch = tf.shape(result.codes)[0]
        chosen = self._random.uniform([levels, size], 0, batch, tf.int32)
        replacements = tf.gather(tf.stack(result.residuals), chosen, batch_dims=1)
        unused = (counts == 0)[:, :, None]
        self._model.codebooks.assign(tf.where(unused, replacements, self._model.codebooks))


def _counts(codes: tf.Tensor, codebook_size: int) -> tf.Tensor:
    """The number of items with each code in the batch, [L, K]; codes are int32 [B, L]."""
    levels = codes.shape[1]
    segment = tf.reshape(codes + tf.range(levels) * codebook_size, [-1])
    counts = tf.math.unsorted_segment_sum(tf.ones_like(segment), segment, levels * codebook_size)
    return tf.reshape(counts, [levels, codebook_size])
