"""The encoder that is exported: the model's codes, found as fast as the processor can."""

import tensorflow as tf

from trainer.rqvae.bfloat16_search import Bfloat16Search
from trainer.rqvae.model import RqVae
from trainer.rqvae.quantizer import map_slices

# Rows whose bfloat16 scores against 2,048 codes (2 MB) fit a core's second-level cache.
_SLICE_ROWS = 512


class FastEncoder(tf.Module):
    """Semantic IDs of a trained RQ-VAE, by products in bfloat16 and the same codes.

    It holds copies of the codebooks: make it after training.

    Attributes:
        model: The RQ-VAE, without a beam.
        searches: One search a level.
    """

    def __init__(self, model: RqVae):
        """Prepares the levels' searches."""
        super().__init__()
        self.model = model
        self.searches = [
            Bfloat16Search(codebook[:size])
            for codebook, size in zip(model.codebooks.numpy(), model.codebook_sizes, strict=True)
        ]

    def __call__(self, embeddings: tf.Tensor) -> tf.Tensor:
        """Semantic IDs int32 [B, L] of content embeddings float32 [B, D].

        Call it inside a tf.function: only there do slices run in parallel.
        """
        return map_slices(self._encode, embeddings, _SLICE_ROWS)

    def _encode(self, embeddings: tf.Tensor) -> tf.Tensor:
        residual = self.model.encoder(self.model.standardized(embeddings))
        codes = []
        for search in self.searches:
            codes.append(search(residual))
            residual = residual - tf.gather(search.codebook, codes[-1])
        return tf.stack(codes, axis=1)
