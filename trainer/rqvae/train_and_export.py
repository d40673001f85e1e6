"""Training and export of the RQ-VAE, from content embeddings to a SavedModel."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.encode_array import encode_array
from semantic_id_ranking.trainer.rqvae.export import export
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.train import train
from semantic_id_ranking.trainer.rqvae.train import Training
from semantic_id_ranking.trainer.rqvae.training_profile import TrainingProfile

#: One item in so many decides when training stops.
VALIDATION_SHARE = 20


def train_and_export(
    embeddings: np.ndarray,
    held_out: np.ndarray,
    config: RqVaeConfig,
    directory: str,
    log_dir: str | None = None,
    start: RqVae | None = None,
) -> Training:
    """Trains an RQ-VAE and writes its SavedModel, with the profile of its items.

    Args:
        embeddings: float32 [N, D].
        held_out: bool [N], the validation items; a lone item is trained on too.
        config: The recipe.
        directory: Where the SavedModel goes.
        log_dir: Where TensorBoard logs go; None: nowhere.
        start: An earlier RQ-VAE to go on from; see `train`.

    Raises:
        ValueError: There are no items, or an embedding holds a number that is not finite.
    """
    items = embeddings[~held_out] if len(embeddings) > 1 else embeddings
    training = train(items, embeddings[held_out], config, log_dir, start)
    reference = embeddings[held_out] if held_out.any() else items
    export(training.model, directory, items, profile_of(training.model, items, reference))
    return training


def profile_of(model: RqVae, items: np.ndarray, held_out: np.ndarray) -> TrainingProfile:
    """What items look like to an RQ-VAE.

    Args:
        model: It.
        items: float32 [N, D], those that it was trained on.
        held_out: float32 [M, D], others of the same period, M at least 1.
    """
    sids = [encode_array(model, rows) for rows in (items, held_out)]
    reconstructed = model.decode(tf.constant(sids[1])).numpy()
    size = model.codebooks.shape[1]
    return TrainingProfile.measure(sids[0], held_out, sids[1], reconstructed, size)
