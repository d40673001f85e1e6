"""The content embedding itself."""

from collections.abc import Mapping

import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)


class DenseRepresentation(ItemRepresentation):
    """The content embedding, scaled to one length and mapped linearly to the width of a vector.

    It has no table: the embedding comes with the item, in training and in serving. A wider first
    layer of the ranker (`bottom_factor`) is what the paper tries to make up for that.

    Reference: Singh et al. (arXiv 2306.08121): dense content embedding.
    """

    def __init__(self, dim: int, space: SidSpace, bottom_factor: float = 1.0):
        """Creates the layer.

        Args:
            dim: Width of an item's vector (d).
            space: The SID space, whose `embedding_dim` is D.
            bottom_factor: How much wider than configured the ranker's first layer is.
        """
        super().__init__(("embedding",), dim, space, table_rows=0)
        self.bottom_factor = bottom_factor
        # No bias, so that an absent item stays zero.
        self._map = tf.keras.layers.Dense(dim, use_bias=False, dtype="float32")

    def distinct(self, features: Mapping[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Takes every item for a distinct one: comparing embeddings would cost more than it saves.

        Args:
            features: `embedding`, float32 [..., D].

        Returns:
            The U items, float32 [U, D], and int32 [...], 0 .. U-1.
        """
        shape = tf.shape(features["embedding"])[:-1]
        embedding = tf.reshape(features["embedding"], [-1, self.space.require_embedding_dim()])
        index = tf.reshape(tf.range(tf.shape(embedding)[0]), shape)
        return {"embedding": embedding}, index

    def vectors(self, items: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        """See the base class."""
        # Of mean square 1, whatever the scale of the content embeddings.
        scale = self.space.require_embedding_dim() ** 0.5
        return self._map(tf.math.l2_normalize(items["embedding"], axis=-1) * scale)

    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        return tf.zeros(tf.shape(features["embedding"])[:-1], tf.int32)
