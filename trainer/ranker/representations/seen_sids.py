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

    Those that are added later have rows as long as there are any. They count as without
    impressions, as they did before they were added, so that the predictions stay; their row, which
    starts at zero, is trusted as that of a Semantic ID with the impressions of then.
    """

    def __init__(self, items: ImpressedItems, table_rows: int, added: ImpressedItems | None = None):
        """Counts; items of the same Semantic ID count as one.

        Args:
            items: The items of the train split.
            table_rows: Rows there are, at most.
            added: Items that were seen first after those of the train split.
        """
        sids, counts = items.sids, items.impressions
        if added is not None:
            sids = np.concatenate([sids, added.sids])
            counts = np.concatenate([counts, np.zeros_like(added.impressions)])
        keys = sid_keys(tf.constant(sids)).numpy()
        self._vocabulary = VocabularyRows(keys, counts)
        self.sids = sids[self._vocabulary.first]
        """int32 [M, L], the Semantic IDs, each once."""
        self.impressions = self._vocabulary.counts
        """float32 [M], the impression count of each; 0 of one that was added."""
        self.added = self.impressions == 0
        """bool [M], which of them were added."""
        self.trusted = self.impressions
        """float32 [M], the impression count by which the row of each is trusted."""
        # Stable, so that ties go by the key and a run repeats.
        most_frequent = np.argsort(-self.impressions, kind="stable")[:table_rows]
        most_frequent = most_frequent[~self.added[most_frequent]]
        self.table_rows = len(most_frequent)
        total = self.impressions.sum(dtype=np.float64)
        own = self.impressions[most_frequent].sum(dtype=np.float64)
        self.covered = float(own / total) if total else 0.0
        """Share of the training impressions that are of Semantic IDs with a row."""
        self.rows = np.full(len(self.impressions), NONE, np.int64)
        """int64 [M], the row of each; `NONE` where it has none."""
        self.rows[most_frequent] = np.arange(self.table_rows)
        if added is not None:
            first_counts = np.concatenate([np.zeros_like(items.impressions), added.impressions])
            first_counts = VocabularyRows(keys, first_counts).counts
            self.trusted = np.where(self.added, first_counts, self.impressions)
            # In the order of adding: no row is taken from one that was added earlier.
            later = np.flatnonzero(self.added)
            later = later[np.argsort(self._vocabulary.first[later])][: table_rows - self.table_rows]
            self.rows[later] = self.table_rows + np.arange(len(later))
            self.table_rows += len(later)

    @property
    def row_keys(self) -> np.ndarray:
        """int64 [table_rows], the `sid_keys` of the Semantic ID that each row is of."""
        keys = np.empty(self.table_rows, np.int64)
        owned = self.rows != NONE
        keys[self.rows[owned]] = self._vocabulary.keys[owned]
        return keys

    def build(self, owner: tf.keras.layers.Layer) -> None:
        """Adds what is known to a layer's weights."""
        self._vocabulary.build(owner)
        self._impressions_weight = constant_weight(owner, "impressions", self.impressions)
        self._rows_weight = constant_weight(owner, "rows", self.rows)
        self._trusted_weight = self._impressions_weight
        if self.added.any():
            self._trusted_weight = constant_weight(owner, "trusted", self.trusted)

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

    def trusted_at(self, index: tf.Tensor) -> tf.Tensor:
        """The impressions by which the rows of those at indices int64 [n] are trusted."""
        return tf.where(index >= 0, tf.gather(self._trusted_weight, tf.maximum(index, 0)), 0.0)
