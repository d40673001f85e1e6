"""Training and export of the RQ-VAE, from content embeddings to a SavedModel."""

import numpy as np

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.export import export
from semantic_id_ranking.trainer.rqvae.train import train
from semantic_id_ranking.trainer.rqvae.train import Training

#: One item in so many decides when training stops.
VALIDATION_SHARE = 20


def train_and_export(
    embeddings: np.ndarray,
    held_out: np.ndarray,
    config: RqVaeConfig,
    directory: str,
    log_dir: str | None = None,
) -> Training:
    """Trains an RQ-VAE and writes its SavedModel.

    Args:
        embeddings: float32 [N, D].
        held_out: bool [N], the validation items; a lone item is trained on too.
        config: The recipe.
        directory: Where the SavedModel goes.
        log_dir: Where TensorBoard logs go; None: nowhere.

    Raises:
        ValueError: There are no items, or an embedding holds a number that is not finite.
    """
    items = embeddings[~held_out] if len(embeddings) > 1 else embeddings
    training = train(items, embeddings[held_out], config, log_dir)
    export(training.model, directory, items)
    return training
