"""SentencePiece pieces of Semantic IDs as subwords."""

from collections.abc import Mapping

import numpy as np
import sentencepiece
import tensorflow as tf
import tensorflow_text

from semantic_id_ranking.trainer.ranker.representations.known_rows import KnownRows
from semantic_id_ranking.trainer.ranker.representations.sid_resources import SidResources
from semantic_id_ranking.trainer.ranker.representations.subwords import NONE
from semantic_id_ranking.trainer.ranker.representations.subwords import Subwords
from semantic_id_ranking.trainer.tokenizer.sid_text import code_points

# Items that are cut beforehand, the most shown ones; each takes 40 bytes at 8 levels.
_KNOWN_ITEMS = 1 << 18


class PieceSubwords(Subwords):
    """The pieces that SentencePiece cuts a Semantic ID into.

    It cuts inside the graph, by a model that travels inside the SavedModel. Every code is a piece,
    so a Semantic ID that was never seen falls back to shorter pieces and at last to single codes.
    The items that were shown most in training are cut beforehand.

    Reference: Singh et al. (arXiv 2306.08121): SPM; sampling: Kudo (arXiv 1804.10959).
    """

    def __init__(self, resources: SidResources, sampling: float = 0.0):
        """Creates the layer.

        Args:
            resources: The SID space and the tokenizer.
            sampling: In training, a cut is drawn with this power of its probability,
                SentencePiece's alpha; 0 always takes the most probable one.

        Raises:
            ValueError: There is no tokenizer.
        """
        if resources.tokenizer_model is None:
            raise ValueError("pieces of Semantic IDs need a trained SID tokenizer")
        model = sentencepiece.SentencePieceProcessor(model_proto=resources.tokenizer_model)
        super().__init__(("sid",), model.get_piece_size(), "pieces")
        self._tokenizer_model = resources.tokenizer_model
        self._space = resources.space
        self._sampling = sampling
        self._known: KnownRows | None = None
        if resources.items is not None:
            most_shown = np.argsort(-resources.items.impressions, kind="stable")[:_KNOWN_ITEMS]
            known = resources.items.sids[most_shown]
            self._known = KnownRows(known, self._cut)

    def build(self, input_shape: object) -> None:
        """Makes the weights of what was cut beforehand."""
        if self._known is not None:
            self._known.build(self)
        super().build(input_shape)

    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the base class; R is the number of levels."""
        if training and self._sampling > 0:
            return self._cut(items["sid"], self._sampling)
        if self._known is None:
            return self._cut(items["sid"])
        return self._known.find(items["sid"], items["sid_key"])

    def _cut(self, sid: tf.Tensor, sampling: float = 0.0) -> tf.Tensor:
        """Rows int64 [n, L] of Semantic IDs int32 [n, L], -1 where there is none."""
        present = sid[:, 0] >= 0
        points = code_points(sid, self._space.levels, self._space.codebook_size)
        text = tf.strings.unicode_encode(tf.where(present[:, None], points, ord(" ")), "UTF-8")
        # Made anew in every graph, as a constant of it. A tokenizer made outside lives only as long
        # as the eager kernel that made it, and `tf.random.set_seed` ends all of those.
        tokenizer = tensorflow_text.SentencepieceTokenizer(
            model=self._tokenizer_model,
            nbest_size=-1 if sampling else 0,
            alpha=sampling or 1.0,
        )
        pieces = tokenizer.tokenize(tf.where(present, text, ""))
        return tf.cast(pieces.to_tensor(NONE, shape=[None, self._space.levels]), tf.int64)
