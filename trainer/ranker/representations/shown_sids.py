"""How often Semantic IDs were shown in training."""

import numpy as np
import tensorflow as tf

from trainer.ranker.representations.item_keys import sid_keys
from trainer.ranker.representations.key_rows import constant_weight
from trainer.ranker.representations.key_rows import VocabularyRows
from trainer.ranker.representations.subwords import NONE
from trainer.tokenizer.impressed_items import ImpressedItems


class ShownSids:
    """Impressions of Semantic IDs, and a table row for each of those shown most.

    All that were shown are known, 20 bytes each beside the rows.
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
        self._impressions = self._vocabulary.counts
        # Stable, so that ties go by the key and a run repeats.
        most_shown = np.argsort(-self._impressions, kind="stable")[:table_rows]
        self.table_rows = len(most_shown)
        shown = self._impressions.sum(dtype=np.float64)
        own = self._impressions[most_shown].sum(dtype=np.float64)
        self.covered = float(own / shown) if shown else 0.0
        """Share of the training impressions that are of Semantic IDs with a row."""
        self._rows = np.full(len(self._impressions), NONE, np.int64)
        self._rows[most_shown] = np.arange(self.table_rows)

    def build(self, owner: tf.keras.layers.Layer) -> None:
        """Adds what is known to a layer's weights."""
        self._vocabulary.build(owner)
        self._impressions_weight = constant_weight(owner, "impressions", self._impressions)
        self._rows_weight = constant_weight(owner, "rows", self._rows)

    def find(self, keys: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """What is known of Semantic IDs.

        Args:
            keys: int64 [n], their `sid_keys`.

        Returns:
            Their places in `sids` and their rows, int64 [n], `NONE` where there is none; and the
            training impressions, float32 [n].
        """
        place = self._vocabulary.find(keys)
        known, row = place >= 0, tf.maximum(place, 0)
        rows = tf.where(known, tf.gather(self._rows_weight, row), NONE)
        return place, rows, tf.where(known, tf.gather(self._impressions_weight, row), 0.0)
