"""RQ-VAEs from their SavedModels, to be trained on."""

import tensorflow as tf

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.model import RqVae


def restore(directory: str, beam: int = 1) -> RqVae:
    """Reads back what `export` wrote.

    Args:
        directory: The SavedModel.
        beam: The beam that it was exported with, which its files do not hold.

    Raises:
        InputError: The model is damaged, or has another beam.
    """
    check_file_digests(directory)
    space = SidSpace.load(f"{directory}/assets.extra")
    loaded = tf.saved_model.load(directory)
    levels, size, width = loaded.codebooks.shape
    config = RqVaeConfig(levels=levels, codebook_size=size, latent_dim=width, beam=beam)
    model = RqVae(config, loaded.mean.numpy(), loaded.scale.numpy())
    for mine, saved in ((model.encoder, loaded.encoder), (model.decoder, loaded.decoder)):
        mine.kernel.assign(saved.kernel)
        mine.bias.assign(saved.bias)
    model.codebooks.assign(loaded.codebooks)
    if model.space.fingerprint != space.fingerprint:
        raise InputError(
            f"{directory}: its SID space {space.fingerprint} is not that of its weights with "
            f"rqvae.beam {beam}; set the beam that it was trained with"
        )
    return model
