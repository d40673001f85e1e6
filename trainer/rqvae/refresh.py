"""A refresh: training that goes on from an earlier RQ-VAE and keeps what it can of its codes."""

import dataclasses

import numpy as np

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.rqvae.align import align_codes
from semantic_id_ranking.trainer.rqvae.align import rename
from semantic_id_ranking.trainer.rqvae.align import rename_codes
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.encode_array import encode_array
from semantic_id_ranking.trainer.rqvae.model import RqVae

# Share of mixtures in a batch: with more of them than from nothing, codes that items hold in their
# old positions generalise as well; docs/experiments/refresh.md compares shares.
_MIXUP = 0.75


class Refresh:
    """What a training from an earlier RQ-VAE does otherwise.

    Attributes:
        earlier: The earlier RQ-VAE.
        codes: int32 [N, L], its codes of the training items; -1 for items that need not keep them.
    """

    def __init__(self, earlier: RqVae, items: np.ndarray, keep: np.ndarray | None):
        """Encodes the items.

        Args:
            earlier: The earlier RQ-VAE.
            items: float32 [N, D], the training items.
            keep: bool [N], the items whose codes are to be kept; None: all.
        """
        self.earlier = earlier
        if items.shape[1] != earlier.mean.shape[0]:
            raise InputError(
                f"the items have embeddings of {items.shape[1]} numbers, but the earlier RQ-VAE "
                f"encodes {earlier.mean.shape[0]}; train a space from nothing"
            )
        self._keep = np.ones(len(items), bool) if keep is None else keep
        self.codes = np.where(self._keep[:, None], encode_array(earlier, items), np.int32(-1))

    def recipe(self, config: RqVaeConfig) -> RqVaeConfig:
        """The recipe of a refresh: encoder and decoder stay, as do codes that nothing uses.

        Args:
            config: The recipe of a training from nothing.

        Raises:
            InputError: Its sizes are not those of the earlier RQ-VAE.
        """
        levels, size, width = self.earlier.codebooks.shape
        wanted = (config.levels, config.codebook_size, config.latent_dim or width)
        if wanted != (levels, size, width):
            raise InputError(
                f"the configuration has levels, codebook_size and latent_dim {wanted}, but the "
                f"earlier RQ-VAE {(levels, size, width)}; a refresh keeps the sizes"
            )
        return dataclasses.replace(
            config,
            network_learning_rate=0.0,
            reset_dead_codes="never",
            mixup=_MIXUP if config.mixup else 0.0,
        )

    def new_model(self, config: RqVaeConfig) -> RqVae:
        """An RQ-VAE that standardises as the earlier one does."""
        return RqVae(config, self.earlier.mean.numpy(), self.earlier.scale.numpy())

    def rename(self, model: RqVae, items: np.ndarray) -> list[float]:
        """Gives the new codes the names with which most items keep theirs.

        Args:
            model: The trained RQ-VAE.
            items: float32 [N, D], the training items.

        Returns:
            Share of the items to keep that keep the first code, the first two, ..., all.
        """
        if not self._keep.any():
            return [0.0] * self.codes.shape[1]
        old, new = self.codes[self._keep], encode_array(model, items[self._keep])
        permutations = align_codes(old, new, model.codebooks.shape[1])
        rename_codes(model, permutations)
        kept = np.cumprod(rename(new, permutations) == old, axis=1)
        return [float(share) for share in kept.mean(axis=0)]
