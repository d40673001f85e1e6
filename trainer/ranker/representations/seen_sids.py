"""Semantic IDs seen in training, with their impression counts."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.item_keys import sid_keys
from semantic_id_ranking.trainer.ranker.representations.key_rows import constant_weight
from semantic_id_ranking.trainer.ranker.representations.key_rows import VocabularyRows
from semantic_id_ranking.trainer.ranker.representations.subwords import NONE
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems


class SeenSids:
    """Impression counts of Semantic IDs, and a table row for each of those with most impressions.

    All that were seen in training are known, 20 bytes each beside the rows.
    """

    def __init__(self, items: ImpressedItems, table_rows: int):
        """Counts; items of the same Semantic ID count as one.

        Args:
            items: The items of the train split.
            table_rows: Rows there are, at most.
        """
        keys = sid_keys(tf.constant(items.sids)).numpy()
        self._vocabulary = VocabularyRows(keys, items.impressions)
        self.sids = items.sids[self._vocabulary.first]
        """int32 [M, L], the Semantic IDs, each once."""
        self.impressions = self._vocabulary.counts
        """float32 [M], the impression count of each."""
        # Stable, so that ties go by the key and a run repeats.
        most_frequent = np.argsort(-self.impressions, kind="stable")[:table_rows]
        self.table_rows = len(most_frequent)
        total = self.impressions.sum(dtype=np.float64)
        own = self.impressions[most_frequent].sum(dtype=np.float64)
        self.covered = float(own / total) if total else 0.0
        """Share of the training impressions that are of Semantic IDs with a row."""
        self.rows = np.full(len(self.impressions), NONE, np.int64)
        """int64 [M], the row of each; `NONE` where it has none."""
        self.rows[most_frequent] = np.arange(self.table_rows)

    def build(self, owner: tf.keras.layers.Layer) -> None:
        """Adds what is known to a layer's weights."""
        self._vocabulary.build(owner)
        self._impressions_weight = constant_weight(owner, "impressions", self.impressions)
        self._rows_weight = constant_weight(owner, "rows", self.rows)

    def find(self, keys: tf.Tensor) -> tf.Tensor:
        """Indices of Semantic IDs.

        Args:
            keys: int64 [n], their `sid_keys`.

        Returns:
            int64 [n], the index of each in `sids`; `NONE` for one not seen in training.
        """
        return self._vocabulary.find(keys)

    def rows_at(self, index: tf.Tensor) -> tf.Tensor:
        """The rows of those at indices int64 [n], int64 [n]; `NONE` for one that has none."""
        return tf.where(index >= 0, tf.gather(self._rows_weight, tf.maximum(index, 0)), NONE)

    def impressions_at(self, index: tf.Tensor) -> tf.Tensor:
        """The training impressions of those at indices int64 [n], float32 [n]."""
        return tf.where(index >= 0, tf.gather(self._impressions_weight, tf.maximum(index, 0)), 0.0)
