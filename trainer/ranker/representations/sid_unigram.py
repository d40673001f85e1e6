"""Semantic IDs, one row a code."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations.distinct_sids import distinct_sids
from trainer.ranker.representations.item_representation import ItemRepresentation
from trainer.ranker.representations.sid_resources import SidResources


class SidUnigram(ItemRepresentation):
    """The sum of one row a code; every level has K rows of its own.

    Reference: Singh et al. (arXiv 2306.08121): N-gram with N = 1.
    """

    fields = ("sid",)

    @classmethod
    def create(
        cls, config: RepresentationConfig, dim: int, resources: SidResources
    ) -> "SidUnigram":
        """See the base class; the table has L x K rows whatever `config.rows` says."""
        del config
        return cls(dim, resources, resources.space.levels * resources.space.codebook_size)

    def build(self, input_shape: object) -> None:
        """Makes the table."""
        self.table = self.add_table(self.table_rows)
        super().build(input_shape)

    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        sid, index = distinct_sids(features["sid"])
        present = self.present({"sid": sid})[:, None]
        rows = tf.where(
            present, sid + np.arange(self.levels, dtype=np.int32) * self.codebook_size, 0
        )
        sums = tf.reduce_sum(tf.nn.embedding_lookup(self.table, rows), axis=1)
        return tf.gather(tf.where(present, sums, 0.0), index)

    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        return self.levels * tf.cast(self.present(features), tf.int32)
