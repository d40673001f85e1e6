"""SentencePiece pieces of Semantic IDs as subwords."""

from collections.abc import Mapping

import numpy as np
import sentencepiece
import tensorflow as tf
import tensorflow_text

from trainer.ranker.representations.known_rows import KnownRows
from trainer.ranker.representations.sid_resources import SidResources
from trainer.ranker.representations.subwords import NONE
from trainer.ranker.representations.subwords import Subwords
from trainer.tokenizer.sid_text import code_points


class PieceSubwords(Subwords):
    """The pieces that SentencePiece cuts a Semantic ID into.

    It cuts inside the graph, by a model that travels inside the SavedModel. Every code is a piece,
    so a Semantic ID that was never seen falls back to shorter pieces and at last to single codes.

    Reference: Singh et al. (arXiv 2306.08121): SPM; sampling: Kudo (arXiv 1804.10959).
    """

    def __init__(
        self, resources: SidResources, sampling: float = 0.0, multi_code_only: bool = False
    ):
        """Creates the layer.

        Args:
            resources: The SID space and the tokenizer.
            sampling: In training, a cut is drawn with this power of its probability,
                SentencePiece's alpha; 0 always takes the most probable one.
            multi_code_only: Whether pieces of a single code have no row.

        Raises:
            ValueError: There is no tokenizer.
        """
        if resources.tokenizer_model is None:
            raise ValueError("pieces of Semantic IDs need a trained SID tokenizer")
        row_of_piece = _rows_of_pieces(resources.tokenizer_model, multi_code_only)
        super().__init__(("sid",), int((row_of_piece >= 0).sum()), "pieces")
        self._row_of_piece = row_of_piece
        self._tokenizer_model = resources.tokenizer_model
        self._levels = resources.space.levels
        self._codebook_size = resources.space.codebook_size
        self._sampling = sampling
        self._items = resources.items
        self._known: KnownRows | None = None

    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the base class; R is the number of levels."""
        if training and self._sampling > 0:
            return self._cut(items["sid"], self._sampling)
        if training and self._items is not None:
            if self._known is None:
                with tf.init_scope():
                    self._known = KnownRows(self._items.sids, self._cut)
            return self._known.find(items["sid"])
        return self._cut(items["sid"])

    def _cut(self, sid: tf.Tensor, sampling: float = 0.0) -> tf.Tensor:
        """Rows int64 [n, L] of Semantic IDs int32 [n, L], -1 where there is none."""
        present = sid[:, 0] >= 0
        points = code_points(sid, self._levels, self._codebook_size)
        text = tf.strings.unicode_encode(tf.where(present[:, None], points, ord(" ")), "UTF-8")
        # Made anew in every graph, as a constant of it. A tokenizer made outside lives only as long
        # as the eager kernel that made it, and `tf.random.set_seed` ends all of those.
        tokenizer = tensorflow_text.SentencepieceTokenizer(
            model=self._tokenizer_model,
            nbest_size=-1 if sampling else 0,
            alpha=sampling or 1.0,
        )
        pieces = tokenizer.tokenize(tf.where(present, text, ""))
        pieces = pieces.to_tensor(NONE, shape=[None, self._levels])
        return tf.where(pieces >= 0, tf.gather(self._row_of_piece, tf.maximum(pieces, 0)), NONE)


def _rows_of_pieces(tokenizer_model: bytes, multi_code_only: bool) -> np.ndarray:
    """int64 [pieces], the row of each piece: they are numbered in their order."""
    model = sentencepiece.SentencePieceProcessor(model_proto=tokenizer_model)
    kept = [
        not multi_code_only or (not model.is_unknown(piece) and len(model.id_to_piece(piece)) > 1)
        for piece in range(model.get_piece_size())
    ]
    return np.where(kept, np.cumsum(kept) - 1, NONE).astype(np.int64)
