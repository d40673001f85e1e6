"""Training of the RQ-VAE, on arrays."""

import dataclasses
import time

import numpy as np
import tensorflow as tf
from absl import logging

from semantic_id_ranking._compat import keep_autograph_out_of_keras
from semantic_id_ranking.trainer.rqvae.analysis import idle_levels
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.dead_codes import reset_dead_codes
from semantic_id_ranking.trainer.rqvae.dead_codes import use_by_level
from semantic_id_ranking.trainer.rqvae.dead_codes import used_codes
from semantic_id_ranking.trainer.rqvae.initialization import initialize_from_items
from semantic_id_ranking.trainer.rqvae.initialization import initialize_from_model
from semantic_id_ranking.trainer.rqvae.mixtures import draw_mixtures
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.model import standardization
from semantic_id_ranking.trainer.rqvae.outliers import Bounds
from semantic_id_ranking.trainer.rqvae.quantizer import residual_quantize
from semantic_id_ranking.trainer.rqvae.refresh import Refresh
from semantic_id_ranking.trainer.rqvae.step import TrainingStep

# Items to whose residuals dead codes are reset, and whose use of the codes is reported.
_PROBE_ITEMS = 20_000
# With so many items a code, one that no item has is wasted, though mixtures may lie beside it; with
# fewer, such a code is what the items of tomorrow are quantised by.
_PLENTY = 20


@dataclasses.dataclass(frozen=True)
class Training:
    """A trained RQ-VAE and the metrics of its training.

    Attributes:
        model: With the weights of the best epoch.
        epochs: Epochs that ran.
        reconstruction: |x - x_hat|² / |x - mean|² of the validation items.
        codebook_use: Share of each level's codes that a training item has.
        seconds: Wall time.
        outlying_items: Items, of both sets, so far from all others that they were left out.
        kept: Of a refresh, the share of the items to keep that have the first code as before, the
            first two, and so on to all.
    """

    model: RqVae
    epochs: int
    reconstruction: float
    codebook_use: list[float]
    seconds: float
    outlying_items: int = 0
    kept: list[float] | None = None


def train(
    items: np.ndarray,
    validation: np.ndarray,
    config: RqVaeConfig,
    log_dir: str | None = None,
    start: RqVae | None = None,
    keep: np.ndarray | None = None,
) -> Training:
    """Trains until the reconstruction of the validation items is flat.

    Residual k-means over the items and mixtures of three initializes the codebooks; then codebooks,
    encoder and decoder are trained jointly, part of each batch being mixtures of two. Where the
    validation items are better off without mixtures, there are none. Items that are far from all
    others (`outliers`) are left out: a single one could take the first level for itself.

    From an earlier RQ-VAE, a refresh, only the codebooks are trained, and so that items keep its
    codes where that costs little; codes that change are renamed by `align_codes`.

    Args:
        items: float32 [N, D], content embeddings.
        validation: float32 [M, D], of other items of the same period.
        config: The recipe.
        log_dir: Where TensorBoard logs go: loss, reconstruction, use of each codebook. None:
            nowhere.
        start: An earlier RQ-VAE to go on from, of the config's sizes; it stays as it is.
        keep: bool [N], the items whose codes by `start` are to be kept; None: all.

    Returns:
        The model of the best epoch; of a refresh with mixtures, of the last.

    Raises:
        ValueError: There are no items, an embedding holds a number that is not finite, or the sizes
            of `start` are others.
    """
    if not len(items):
        raise ValueError("there are no items to train on")
    for name, rows in (("training", items), ("validation", validation)):
        if not np.isfinite(rows).all():
            row = np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]
            raise ValueError(
                f"embedding {row} of the {name} items holds a number that is not finite"
            )
    keep_autograph_out_of_keras()
    begin = time.monotonic()
    inlying = [~rows for rows in _outlying(items, validation)]
    outlying = len(items) + len(validation) - sum(int(rows.sum()) for rows in inlying)
    items, validation = items[inlying[0]], validation[inlying[1]]
    rng = np.random.default_rng(config.seed)
    refresh = None
    if start is not None:
        refresh = Refresh(start, items, None if keep is None else keep[inlying[0]])
        config = refresh.recipe(config)
    model = (
        refresh.new_model(config)
        if refresh
        else RqVae(config, *standardization(items, config.standardize))
    )
    rows = model.standardized(tf.constant(items, tf.float32)).numpy()
    held_out = model.standardized(tf.constant(validation, tf.float32)).numpy()
    if refresh:
        earlier, kept_codes = refresh.earlier, refresh.codes
        mixtures = initialize_from_model(model, earlier, kept_codes, rows, held_out, config, rng)
    else:
        mixtures = initialize_from_items(model, rows, held_out, config, rng)
    if not mixtures:
        config = dataclasses.replace(config, mixup=0.0)
    steps = max(len(rows) // config.batch_size, 1)
    codes = refresh.codes if refresh else None
    step = TrainingStep(model, rows, config, max(config.epochs * steps, 1), codes)
    probe = tf.constant(rows[rng.permutation(len(rows))[:_PROBE_ITEMS]])
    writer = tf.summary.create_file_writer(log_dir) if log_dir else tf.summary.create_noop_writer()

    resets = config.reset_dead_codes == "epoch"
    plenty = len(rows) >= _PLENTY * config.codebook_size
    if resets and plenty:
        reset_dead_codes(model, probe, rng)
    mean = items.mean(axis=0, dtype=np.float64)
    best, best_weights = _error(model, validation, mean), _copy(model)
    # The step with mixtures let go of codes; epochs bring them back at the expense of the error.
    takes_last = refresh is not None and mixtures
    flat = epoch = 0
    while epoch < config.epochs and flat < config.early_stop_patience:
        epoch += 1
        loss, used = _epoch(step, len(rows), steps, config, rng)
        if resets:
            reset_dead_codes(model, probe, rng, None if plenty else used)
        error = _error(model, validation, mean)
        with writer.as_default(step=epoch):
            tf.summary.scalar("loss", loss)
            tf.summary.scalar("reconstruction", error)
            for level, share in enumerate(use_by_level(used)):
                tf.summary.scalar(f"codebook_use/{level}", share)
        logging.info("rqvae: epoch %d of %d, reconstruction %.4f", epoch, config.epochs, error)
        better = error < best * (1 - config.early_stop_min_delta)
        flat = 0 if better or takes_last else flat + 1
        if error < best or takes_last:
            best, best_weights = error, _copy(model)
    for variable, value in zip(model.weights(), best_weights, strict=True):
        variable.assign(value)
    if resets and plenty:
        reset_dead_codes(model, probe, rng)
        best = _error(model, validation, mean)
    kept = refresh.rename(model, items) if refresh else None
    writer.close()
    use = use_by_level(_used_by(probe, model))
    for level in idle_levels(use, config.codebook_size, len(items)):
        logging.warning(
            "rqvae: level %d uses %.1f%% of its %d codes; the embeddings may hold corrupt or "
            "constant items",
            level + 1,
            100 * use[level],
            config.codebook_size,
        )
    return Training(model, epoch, best, use, time.monotonic() - begin, outlying, kept)


def _outlying(items: np.ndarray, validation: np.ndarray) -> list[np.ndarray]:
    """Which of both sets are outlying, bool [N] and [M]; says so if any is."""
    bounds = Bounds.measure(items)
    outlying = [bounds.outlying(rows) for rows in (items, validation)]
    if count := sum(int(rows.sum()) for rows in outlying):
        logging.warning(
            "rqvae: %d of %d embeddings are more than %.3g away from the others' centre, which is "
            "a hundred times farther than 95%% of the others; they are left out of the training",
            count,
            len(items) + len(validation),
            bounds.radius,
        )
    return outlying


def _epoch(
    step: TrainingStep, items: int, steps: int, config: RqVaeConfig, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """One pass; the mean loss and which codes were used, bool [L, K]."""
    order = rng.permutation(items).astype(np.int32)
    size = min(config.batch_size, items)
    losses, codes = [], []
    for batch in range(steps):
        numbers, factors = draw_mixtures(items, size, 2, rng)
        numbers[:, 0] = order[batch * size : (batch + 1) * size]
        plain = round((1 - config.mixup) * size)
        factors[:plain] = (1.0, 0.0)
        loss, chosen = step(tf.constant(numbers), tf.constant(factors))
        losses.append(loss)
        codes.append(chosen)
    used = used_codes(tf.concat(codes, axis=0), config.levels, config.codebook_size)
    return float(tf.reduce_mean(losses)), used


def _used_by(rows: tf.Tensor, model: RqVae) -> np.ndarray:
    """The mask of the codes that standardised items [N, D] have; bool [L, K]."""
    codes = residual_quantize(model.encoder(rows), model.codebooks).codes
    return used_codes(codes, *model.codebooks.shape[:2])


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
