"""Item IDs as subwords: one row an item."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.item_keys import item_id_keys
from semantic_id_ranking.trainer.ranker.representations.key_rows import HashedRows
from semantic_id_ranking.trainer.ranker.representations.key_rows import VocabularyRows
from semantic_id_ranking.trainer.ranker.representations.subwords import NONE
from semantic_id_ranking.trainer.ranker.representations.subwords import Subwords
from semantic_id_ranking.trainer.ranker.row_section import RowSection
from semantic_id_ranking.trainer.ranker.row_section import UNKNOWN
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer


class ItemIdSubwords(Subwords):
    """One row for the whole item ID."""

    def __init__(self, rows: HashedRows | VocabularyRows):
        """Creates the layer.

        Args:
            rows: Says which row an item ID has; all items that it does not know share one more.
        """
        self._unknown_row = rows.table_rows
        unknown = isinstance(rows, VocabularyRows)
        super().__init__(("item_id",), rows.table_rows + unknown, "item_id")
        self._rows = rows

    def build(self, input_shape: object) -> None:
        """Makes the vocabulary's weight, if there is one."""
        self._rows.build(self)
        super().build(input_shape)

    def row_keys(self) -> list[RowSection]:
        """See the base class; a key is the item's of `item_id_keys`, or its hash."""
        if isinstance(self._rows, HashedRows):
            return [RowSection("hashed_item_id", range(self.table_rows))]
        return [RowSection("item_id", self._rows.keys), RowSection(UNKNOWN, range(1))]

    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the base class; R is 1."""
        keys = items["item_id"]
        rows = self._rows.find(keys)
        rows = tf.where(rows == NONE, tf.constant(self._unknown_row, tf.int64), rows)
        return tf.where(keys >= 0, rows, NONE)[:, None]


def item_id_vocabulary(resources: SidTokenizer) -> VocabularyRows:
    """Rows of the items of the train split, of `resources.items`, and of those added later.

    Raises:
        ValueError: The items or their ids are not known.
    """
    items = resources.require_items()
    if items.item_ids is None:
        raise ValueError(
            "a vocabulary of item ids needs a SidTokenizer that was fitted with item_ids"
        )
    ids, impressions = items.item_ids, items.impressions
    if resources.added is not None and resources.added.item_ids is not None:
        ids = np.concatenate([ids, resources.added.item_ids])
        impressions = np.concatenate([impressions, resources.added.impressions])
    return VocabularyRows(item_id_keys(tf.constant(ids)).numpy(), impressions)
