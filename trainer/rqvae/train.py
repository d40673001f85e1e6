"""Training of the RQ-VAE, on arrays."""

import dataclasses
import time

import numpy as np
import tensorflow as tf
from absl import logging

from trainer import autograph  # noqa: F401
from trainer.rqvae.config import RqVaeConfig
from trainer.rqvae.kmeans import residual_kmeans
from trainer.rqvae.mixtures import draw_mixtures
from trainer.rqvae.mixtures import mix
from trainer.rqvae.model import RqVae
from trainer.rqvae.model import standardization
from trainer.rqvae.quantizer import residual_quantize

# Items whose residuals dead codes restart from, and whose use of the codes is reported.
_PROBE_ITEMS = 20_000
# With so many items a code, one that no item has is wasted, though mixtures may lie beside it; with
# fewer, such a code is what the items of tomorrow are quantised by.
_PLENTY = 20
_ADAM_BETAS = (0.9, 0.99)


@dataclasses.dataclass(frozen=True)
class Training:
    """A trained RQ-VAE and what its training came to.

    Attributes:
        model: With the weights of the best epoch.
        epochs: Epochs that ran.
        reconstruction: |x - x_hat|² / |x - mean|² of the validation items.
        codebook_use: Share of each level's codes that a training item has.
        seconds: Wall time.
    """

    model: RqVae
    epochs: int
    reconstruction: float
    codebook_use: list[float]
    seconds: float


def train(
    items: np.ndarray, validation: np.ndarray, config: RqVaeConfig, log_dir: str | None = None
) -> Training:
    """Trains until the reconstruction of the validation items is flat.

    The codebooks start from residual k-means over the items and mixtures of three; then codebooks,
    encoder and decoder are trained jointly, part of each batch being mixtures of two.

    Args:
        items: float32 [N, D], content embeddings.
        validation: float32 [M, D], of other items of the same period.
        config: The recipe.
        log_dir: Where TensorBoard logs go: loss, reconstruction, use of each codebook. None:
            nowhere.

    Returns:
        The model of the best epoch.

    Raises:
        ValueError: There are no items, or an embedding holds a number that is not finite.
    """
    if not len(items):
        raise ValueError("there are no items to train on")
    for name, rows in (("training", items), ("validation", validation)):
        if not np.isfinite(rows).all():
            row = np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]
            raise ValueError(
                f"embedding {row} of the {name} items holds a number that is not finite"
            )
    begin = time.monotonic()
    rng = np.random.default_rng(config.seed)
    model = RqVae(config, *standardization(items, config.standardize))
    rows = model.standardized(tf.constant(items, tf.float32)).numpy()
    _start_at_principal_axes(model, rows)
    model.codebooks.assign(_start(model, rows, config, rng))
    steps = max(len(rows) // config.batch_size, 1)
    step = _make_step(model, rows, config, total_steps=config.epochs * steps)
    probe = tf.constant(rows[rng.permutation(len(rows))[:_PROBE_ITEMS]])
    writer = tf.summary.create_file_writer(log_dir) if log_dir else tf.summary.create_noop_writer()

    plenty = len(rows) >= _PLENTY * config.codebook_size
    if plenty:
        _reset_dead(model, _used_by(probe, model, config), probe, config, rng)
    mean = items.mean(axis=0, dtype=np.float64)
    best, best_weights = _error(model, validation, mean), _copy(model)
    flat = epoch = 0
    while epoch < config.epochs and flat < config.early_stop_patience:
        epoch += 1
        loss, used = _epoch(step, len(rows), steps, config, rng)
        if plenty:
            used = _used_by(probe, model, config)
        _reset_dead(model, used, probe, config, rng)
        error = _error(model, validation, mean)
        with writer.as_default(step=epoch):
            tf.summary.scalar("loss", loss)
            tf.summary.scalar("reconstruction", error)
            for level, use in enumerate(used.mean(axis=1)):
                tf.summary.scalar(f"codebook_use/{level}", use)
        logging.info("rqvae: epoch %d of %d, reconstruction %.4f", epoch, config.epochs, error)
        flat = 0 if error < best * (1 - config.early_stop_min_delta) else flat + 1
        if error < best:
            best, best_weights = error, _copy(model)
    for variable, value in zip(model.weights(), best_weights, strict=True):
        variable.assign(value)
    writer.close()
    used = _used_by(probe, model, config)
    return Training(model, epoch, best, used.mean(axis=1).tolist(), time.monotonic() - begin)


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


def _start(
    model: RqVae, rows: np.ndarray, config: RqVaeConfig, rng: np.random.Generator
) -> np.ndarray:
    """Codebooks [L, K, d] by residual k-means over encoded items and mixtures of three of them."""
    chosen = rows[rng.permutation(len(rows))[: config.kmeans_items]]
    if config.kmeans_mixtures:
        drawn = draw_mixtures(len(chosen), config.kmeans_mixtures, 3, rng)
        centre = chosen.mean(axis=0)
        chosen = np.concatenate([chosen, centre + mix(chosen - centre, *drawn)])
    latents = model.encoder(tf.constant(chosen)).numpy()
    return residual_kmeans(
        latents, config.levels, config.codebook_size, config.kmeans_iterations, rng
    )


def _make_step(model: RqVae, rows: np.ndarray, config: RqVaeConfig, total_steps: int):
    """A function of mixtures (numbers, factors [B, 2]) that trains and gives loss and codes."""

    def optimizer(rate: float, decay: float) -> tf.keras.optimizers.Optimizer:
        return tf.keras.optimizers.AdamW(
            tf.keras.optimizers.schedules.CosineDecay(rate, total_steps),
            weight_decay=decay,
            beta_1=_ADAM_BETAS[0],
            beta_2=_ADAM_BETAS[1],
            jit_compile=False,
        )

    # Rates and losses are relative to the size of the latents and the spread of the items: both are
    # 1 after standardisation, and whatever they are without.
    size = float(tf.sqrt(tf.reduce_mean(tf.square(model.encoder(rows[:_PROBE_ITEMS]))))) or 1.0
    centre = rows.mean(axis=0)
    spread = float(np.square(rows - centre).mean()) or 1.0
    networks = [*model.encoder.trainable_variables, *model.decoder.trainable_variables]
    of_codebooks = optimizer(config.codebook_learning_rate * size, 0.0)
    of_networks = optimizer(config.network_learning_rate, config.weight_decay)
    of_codebooks.build([model.codebooks])
    of_networks.build(networks)
    table = tf.constant(rows - centre)

    @tf.function(reduce_retracing=True)
    def step(numbers: tf.Tensor, factors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mixed = tf.reduce_sum(factors[:, :, None] * tf.gather(table, numbers), axis=1)
        batch = mixed + centre
        with tf.GradientTape() as tape:
            loss, _, codes = model.losses(batch, config.beta, config.codebook_weight)
            loss /= spread
        gradients = tape.gradient(loss, [model.codebooks, *networks])
        # Dense: AdamW has no sparse update, and every level is touched in every step anyway.
        of_codebooks.apply_gradients([(tf.convert_to_tensor(gradients[0]), model.codebooks)])
        if config.network_learning_rate:
            of_networks.apply_gradients(zip(gradients[1:], networks, strict=True))
        return loss, codes

    return step


def _epoch(
    step, items: int, steps: int, config: RqVaeConfig, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """One pass; the mean loss and which codes were used, bool [L, K]."""
    order = rng.permutation(items).astype(np.int32)
    size = min(config.batch_size, items)
    used = np.zeros((config.levels, config.codebook_size), bool)
    total = 0.0
    for batch in range(steps):
        numbers, factors = draw_mixtures(items, size, 2, rng)
        numbers[:, 0] = order[batch * size : (batch + 1) * size]
        plain = round((1 - config.mixup) * size)
        factors[:plain] = (1.0, 0.0)
        loss, codes = step(tf.constant(numbers), tf.constant(factors))
        total += float(loss)
        used |= _used(codes, config)
    return total / steps, used


def _reset_dead(
    model: RqVae,
    used: np.ndarray,
    probe: tf.Tensor,
    config: RqVaeConfig,
    rng: np.random.Generator,
) -> None:
    """Restarts codes that are not used at residuals that random items have at that level.

    The paper resets what one batch did not use; with more codes than items in a batch that would
    reset almost all of them at every step, so an epoch is the measure here.
    """
    if used.all() or not config.reset_dead_codes:
        return
    residuals = residual_quantize(model.encoder(probe), model.codebooks).residuals
    codebooks = model.codebooks.numpy()
    for level, residual in enumerate(residuals):
        dead = np.flatnonzero(~used[level])
        codebooks[level, dead] = residual.numpy()[rng.integers(0, len(residual), len(dead))]
    model.codebooks.assign(codebooks)


def _used_by(rows: tf.Tensor, model: RqVae, config: RqVaeConfig) -> np.ndarray:
    return _used(residual_quantize(model.encoder(rows), model.codebooks).codes, config)


def _used(codes: tf.Tensor, config: RqVaeConfig) -> np.ndarray:
    used = np.zeros((config.levels, config.codebook_size), bool)
    for level, column in enumerate(codes.numpy().T):
        used[level, column] = True
    return used


def _error(model: RqVae, embeddings: np.ndarray, mean: np.ndarray) -> float:
    """|x - x_hat|² over |x - mean|², in units of the embeddings.

    The mean is that of the training items: a lone validation item has no spread about its own.
    """
    error = spread = 0.0
    for begin in range(0, len(embeddings), _PROBE_ITEMS):
        x = tf.constant(embeddings[begin : begin + _PROBE_ITEMS], tf.float32)
        error += float(tf.reduce_sum(tf.square(x - model.decode(model.encode(x)))))
        spread += float(tf.reduce_sum(tf.square(x - mean.astype(np.float32))))
    return error / spread if spread else 0.0


def _copy(model: RqVae) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.weights()]
