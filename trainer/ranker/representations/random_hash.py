"""The baseline: hashed item IDs."""

from collections.abc import Mapping

import tensorflow as tf

from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations.item_representation import ItemRepresentation
from trainer.ranker.representations.sid_resources import SidResources


class RandomHash(ItemRepresentation):
    """One row an item: the item ID's hash modulo the number of rows.

    Items that share a row share nothing else. An item that training never met reads a row that
    other items trained, or an untrained one.

    Reference: Singh et al. (arXiv 2306.08121): "random hashing".
    """

    fields = ("item_id",)

    @classmethod
    def create(
        cls, config: RepresentationConfig, dim: int, resources: SidResources
    ) -> "RandomHash":
        """See the base class; the table has `config.rows` rows."""
        return cls(dim, resources, config.rows)

    def build(self, input_shape: object) -> None:
        """Makes the table."""
        self.table = self.add_table(self.table_rows)
        super().build(input_shape)

    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        rows = tf.strings.to_hash_bucket_fast(features["item_id"], self.table_rows)
        vectors = tf.nn.embedding_lookup(self.table, rows)
        return tf.where(self.present(features)[..., None], vectors, 0.0)

    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        return tf.cast(self.present(features), tf.int32)
