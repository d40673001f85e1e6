"""SentencePiece pieces of Semantic IDs as subwords."""

import functools
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.known_rows import KnownRows
from semantic_id_ranking.trainer.ranker.representations.subwords import Subwords
from semantic_id_ranking.trainer.ranker.row_section import RowSection
from semantic_id_ranking.trainer.tokenizer.piece_rows import piece_rows
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

# Items that are tokenized beforehand, those with most impressions; each takes 40 bytes at 8 levels.
_KNOWN_ITEMS = 1 << 18

PIECE = "piece"
"""Kind of the rows of pieces; a key is the piece's text."""


class PieceSubwords(Subwords):
    """The pieces that SentencePiece tokenizes a Semantic ID into.

    It tokenizes inside the graph, by a model that travels inside the SavedModel. Every code is a
    piece, so a Semantic ID that was never seen falls back to shorter pieces and at last to single
    codes. The items with most impressions in training are tokenized beforehand.

    Reference: Singh et al. (arXiv 2306.08121): SPM; sampling: Kudo (arXiv 1804.10959).
    """

    def __init__(self, resources: SidTokenizer, sampling: float = 0.0):
        """Creates the layer.

        Args:
            resources: The tokenizer.
            sampling: In training, a tokenization is drawn with this power of its probability,
                SentencePiece's alpha; 0 always takes the most probable one.

        Raises:
            ValueError: No tokenizer was trained.
        """
        super().__init__(("sid",), resources.table_rows, "pieces")
        self._rows = functools.partial(piece_rows, resources.require_model(), resources.space)
        self._sampling = sampling
        self._pieces = resources.pieces()
        self._known: KnownRows | None = None
        if resources.items is not None:
            by_impressions = np.argsort(-resources.items.impressions, kind="stable")
            known = resources.items.sids[by_impressions[:_KNOWN_ITEMS]]
            self._known = KnownRows(known, self._rows)

    def build(self, input_shape: object) -> None:
        """Makes the weights of what was tokenized beforehand."""
        if self._known is not None:
            self._known.build(self)
        super().build(input_shape)

    def row_keys(self) -> list[RowSection]:
        """See the base class."""
        return [RowSection(PIECE, np.array([p.encode() for p in self._pieces], object))]

    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the base class; R is the number of levels."""
        if training and self._sampling > 0:
            return self._rows(items["sid"], self._sampling)
        if self._known is None:
            return self._rows(items["sid"])
        return self._known.find(items["sid"], items["sid_key"])
