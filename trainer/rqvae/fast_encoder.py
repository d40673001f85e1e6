"""The exported encoder: the model's codes by fast matrix products."""

from typing import Generic
from typing import TypeVar

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.rqvae.bfloat16_search import Bfloat16Search
from semantic_id_ranking.trainer.rqvae.float32_search import Float32Search
from semantic_id_ranking.trainer.rqvae.model import RqVae
from semantic_id_ranking.trainer.rqvae.quantizer import map_slices
from semantic_id_ranking.trainer.rqvae.quantizer import of_finite

#: Finds the nearest codes of one level: residuals [B, d] to codes [B] and what they leave over.
Search = TypeVar("Search", Float32Search, Bfloat16Search)


class FastEncoder(Generic[Search]):
    """Semantic IDs of a trained RQ-VAE, which become constants of the graph.

    Make it after training, of a model without a beam.
    """

    def __init__(self, model: RqVae, search: type[Search]):
        """Prepares the levels' searches."""
        self._model = model
        # The mean stays outside: in the bias, that of large numbers would cost
        # digits.
        self._mean = model.mean.numpy()
        self._kernel = model.encoder.kernel.numpy() / model.scale.numpy()[:, None]
        self._bias = model.encoder.bias.numpy()
        self._searches: list[Search] = [search(codebook) for codebook in model.codebooks.numpy()]

    def __call__(self, embeddings: tf.Tensor) -> tf.Tensor:
        """Semantic IDs int32 [B, L] of content embeddings float32 [B, D], -1 if not finite.

        Call it inside a tf.function: only there do slices run in parallel.
        """
        return map_slices(self._encode, embeddings)

    def agreement(self, embeddings: np.ndarray) -> float:
        """Share of the codes that the model gives too.

        Args:
            embeddings: float32 [B, D].
        """
        rows = tf.constant(embeddings)
        own = tf.function(self.__call__)(rows)
        models = tf.function(lambda batch: map_slices(self._model.encode, batch))(rows)
        return float(tf.reduce_mean(tf.cast(tf.equal(own, models), tf.float64)))

    def clear_share(self: "FastEncoder[Bfloat16Search]", embeddings: np.ndarray) -> float:
        """Share of the codes that bfloat16 alone settles.

        Args:
            embeddings: float32 [B, D], a few thousand at most.
        """
        residual, shares = self._latents(tf.constant(embeddings)), []
        for search in self._searches:
            shares.append(search.clear_leads(residual).numpy().mean())
            _, residual = search(residual)
        return float(np.mean(shares))

    def _encode(self, embeddings: tf.Tensor) -> tf.Tensor:
        latents = residual = self._latents(embeddings)
        codes = []
        for search in self._searches:
            code, residual = search(residual)
            codes.append(code)
        return of_finite(tf.stack(codes, axis=1), latents)

    def _latents(self, embeddings: tf.Tensor) -> tf.Tensor:
        product = tf.matmul(embeddings - self._mean, tf.constant(self._kernel))
        return tf.nn.bias_add(product, tf.constant(self._bias))
