"""A small RQ-VAE of random weights as a Model artifact, and its codes by NumPy."""

import numpy as np
from tfx.types import standard_artifacts

from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.export import export
from semantic_id_ranking.trainer.rqvae.model import RqVae
from tests.components import artifact_files

LEVELS, CODES, DIM, LATENT = 2, 4, 3, 2


class TinyRqVae:
    """Random weights, the SavedModel made of them, and what it should answer."""

    def __init__(self, folder, seed=0):
        self._rng = np.random.default_rng(seed)
        self.mean, self.scale = self._random(DIM), np.abs(self._random(DIM)) + 1
        self.into, self.out_of = self._random(DIM, LATENT), self._random(LATENT, DIM)
        self.codebooks = self._random(LEVELS, CODES, LATENT)
        config = RqVaeConfig(levels=LEVELS, codebook_size=CODES, latent_dim=LATENT)
        model = RqVae(config, self.mean, self.scale)
        model.encoder.kernel.assign(self.into)
        model.decoder.kernel.assign(self.out_of)
        model.codebooks.assign(self.codebooks)
        self.space = model.space
        self.artifact = artifact_files.artifact(standard_artifacts.Model, folder)
        self.path = f"{folder}/Format-Serving"
        export(model, self.path)

    def items(self, count):
        """Content embeddings float32 [count, DIM]."""
        return self._random(count, DIM) * 3

    def encode(self, embeddings):
        """Semantic IDs [n, LEVELS]: at each level the nearest code to what is left over."""
        left = (embeddings - self.mean) / self.scale @ self.into
        codes = []
        for codebook in self.codebooks:
            distances = ((left[:, None] - codebook) ** 2).sum(axis=2)
            codes.append(distances.argmin(axis=1))
            left = left - codebook[codes[-1]]
        return np.stack(codes, axis=1)

    def decode(self, sids):
        """Content embeddings [n, DIM]."""
        latents = sum(codebook[sids[:, level]] for level, codebook in enumerate(self.codebooks))
        return latents @ self.out_of * self.scale + self.mean

    def _random(self, *shape):
        return self._rng.normal(size=shape).astype(np.float32)
