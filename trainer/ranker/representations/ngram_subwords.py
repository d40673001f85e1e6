"""Groups of codes as subwords."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations.item_keys import sequence_keys
from semantic_id_ranking.trainer.ranker.representations.subwords import NONE
from semantic_id_ranking.trainer.ranker.representations.subwords import Subwords
from semantic_id_ranking.trainer.ranker.row_section import RowSection


class NgramSubwords(Subwords):
    """Every N codes of a Semantic ID, without overlap; each group has rows of its own.

    A group has a row for each of its K^N sequences, or, where those are more than its share of the
    rows, shares its rows by hashing. The last group is shorter where N does not divide the levels.

    Reference: Singh et al. (arXiv 2306.08121): N-gram.
    """

    def __init__(self, n: int, group_rows: Sequence[int], space: SidSpace):
        """Creates the layer.

        Args:
            n: Codes in a group (N).
            group_rows: Rows of each group; codes after the last group are not read.
            space: The SID space.
        """
        super().__init__(("sid",), sum(group_rows), "ngrams")
        self._n = n
        self._codebook_size = space.codebook_size
        self._group_rows = list(group_rows)

    def row_keys(self) -> list[RowSection]:
        """See the base class; a key is the row of `code_sequence_rows`."""
        return [
            RowSection(f"ngram.{group}", range(rows)) for group, rows in enumerate(self._group_rows)
        ]

    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the base class; R is the number of groups."""
        sid = items["sid"][:, : self._n * len(self._group_rows)]
        if self._n == 1:
            sizes = np.array(self._group_rows, np.int32)
            codes = sid if sizes.min() >= self._codebook_size else tf.math.floormod(sid, sizes)
            codes += np.cumsum(sizes) - sizes
            return tf.where(sid[:, :1] >= 0, tf.cast(codes, tf.int64), NONE)
        columns, offset = [], 0
        for group, rows in enumerate(self._group_rows):
            codes = sid[:, group * self._n : (group + 1) * self._n]
            row = code_sequence_rows(codes, rows, self._codebook_size)
            columns.append(row + offset)
            offset += rows
        return tf.where(sid[:, :1] >= 0, tf.stack(columns, axis=1), NONE)


def code_sequence_rows(codes: tf.Tensor, rows: int, codebook_size: int) -> tf.Tensor:
    """Rows of sequences of codes.

    Args:
        codes: int32 [n, m].
        rows: Rows there are.
        codebook_size: Codes at each level (K).

    Returns:
        int64 [n] in 0 .. rows-1: the number that the codes write to the base K where the rows
        suffice for all of them, a hash where they do not; of a single code its remainder, which
        shares rows evenly.
    """
    length = codes.shape[1]
    if length == 1:
        return tf.cast(codes[:, 0] % rows, tf.int64)
    if codebook_size**length > rows:
        return tf.math.floormod(sequence_keys(codes), rows)
    number = tf.zeros_like(codes[:, 0], tf.int64)
    for code in tf.unstack(tf.cast(codes, tf.int64), axis=1):
        number = number * codebook_size + code
    return number
