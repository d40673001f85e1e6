"""Prefixes of Semantic IDs as subwords."""

from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations.ngram_subwords import code_sequence_rows
from semantic_id_ranking.trainer.ranker.representations.subwords import NONE
from semantic_id_ranking.trainer.ranker.representations.subwords import Subwords
from semantic_id_ranking.trainer.ranker.row_section import RowSection


class HashedPrefixes(Subwords):
    """The first code, the first two, and so on; each depth has rows of its own, hashed if need be.

    Reference: prefix n-gram (arXiv 2504.02137).
    """

    def __init__(self, depth_rows: Sequence[int], space: SidSpace):
        """Creates the layer.

        Args:
            depth_rows: Rows of the prefixes of 1, 2, … codes.
            space: The SID space.
        """
        super().__init__(("sid",), sum(depth_rows), "prefixes")
        self._depth_rows = list(depth_rows)
        self._codebook_size = space.codebook_size

    def row_keys(self) -> list[RowSection]:
        """See the base class; a key is the row of `code_sequence_rows`."""
        return [
            RowSection(f"prefix.{depth}", range(rows))
            for depth, rows in enumerate(self._depth_rows, start=1)
        ]

    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the base class; R is the number of depths."""
        sid = items["sid"]
        columns, offset = [], 0
        for depth, rows in enumerate(self._depth_rows, start=1):
            row = code_sequence_rows(sid[:, :depth], rows, self._codebook_size)
            columns.append(row + offset)
            offset += rows
        return tf.where(sid[:, :1] >= 0, tf.stack(columns, axis=1), NONE)
