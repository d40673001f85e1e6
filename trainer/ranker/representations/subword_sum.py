"""Items as sums of table rows."""

from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)
from semantic_id_ranking.trainer.ranker.representations.row_sum import sum_rows
from semantic_id_ranking.trainer.ranker.representations.subwords import NONE
from semantic_id_ranking.trainer.ranker.representations.subwords import Subwords
from semantic_id_ranking.trainer.ranker.row_section import RowSection


class SubwordSum(ItemRepresentation):
    """The sum of one row a subword, over one or more tokenizations of an item.

    All rows are in one table, those of the first tokenization first.

    Reference: Singh et al. (arXiv 2306.08121).
    """

    def __init__(self, subwords: Sequence[Subwords], dim: int, space: SidSpace):
        """Creates the layer.

        Args:
            subwords: The tokenizations.
            dim: Width of an item's vector (d).
            space: The SID space.
        """
        fields = tuple(dict.fromkeys(field for part in subwords for field in part.fields))
        super().__init__(fields, dim, space, sum(part.table_rows for part in subwords))
        self._subwords = list(subwords)

    def build(self, input_shape: object) -> None:
        """Makes the table."""
        self.table = self.add_table(self.table_rows)
        super().build(input_shape)

    def row_keys(self) -> list[list[RowSection]]:
        """See the base class."""
        return [[section for part in self._subwords for section in part.row_keys()]]

    def vectors(self, items: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        """See the base class."""
        rows = all_rows(self._subwords, items, training)
        return sum_rows(self.table, rows, self.is_small(self.table))

    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        items, index = self.distinct(features)
        rows = all_rows(self._subwords, items, training=False)
        return tf.gather(tf.math.count_nonzero(rows >= 0, axis=1, dtype=tf.int32), index)


def all_rows(
    subwords: Sequence[Subwords], items: Mapping[str, tf.Tensor], training: bool
) -> tf.Tensor:
    """Rows of items in a table that holds those of several tokenizations, one after the other.

    Args:
        subwords: The tokenizations.
        items: The U items.
        training: Whether this is a training step.

    Returns:
        int64 [U, R], `NONE` where there is none.
    """
    columns, offset = [], 0
    for part in subwords:
        rows = part(items, training=training)
        columns.append(tf.where(rows >= 0, rows + offset, NONE))
        offset += part.table_rows
    return tf.concat(columns, axis=1)
