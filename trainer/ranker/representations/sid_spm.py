"""Semantic IDs, one row a SentencePiece piece."""

from collections.abc import Mapping

import sentencepiece
import tensorflow as tf
import tensorflow_text

from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations.distinct_sids import distinct_sids
from trainer.ranker.representations.item_representation import ItemRepresentation
from trainer.ranker.representations.sid_resources import SidResources
from trainer.tokenizer.sid_text import code_points


class SidSpm(ItemRepresentation):
    """The sum of one row a piece.

    SentencePiece cuts the Semantic ID inside the graph, from a model that travels inside the
    SavedModel. Every code is a piece, so an unseen Semantic ID falls back to shorter pieces and at
    last to single codes.

    Reference: Singh et al. (arXiv 2306.08121): SPM.
    """

    fields = ("sid",)

    def __init__(self, dim: int, resources: SidResources):
        """Creates the layer.

        Args:
            dim: Width of an item's vector (d).
            resources: The SID space and the tokenizer.

        Raises:
            ValueError: There is no tokenizer.
        """
        if resources.tokenizer_model is None:
            raise ValueError("representation sid_spm needs a trained SID tokenizer")
        pieces = sentencepiece.SentencePieceProcessor(model_proto=resources.tokenizer_model)
        super().__init__(dim, resources, pieces.get_piece_size())
        self._tokenizer_model = resources.tokenizer_model

    @classmethod
    def create(cls, config: RepresentationConfig, dim: int, resources: SidResources) -> "SidSpm":
        """See the base class; the table has one row a piece, at most `config.rows`."""
        layer = cls(dim, resources)
        if layer.table_rows > config.rows:
            raise ValueError(
                f"the SID tokenizer has {layer.table_rows} pieces, but representation sid_spm "
                f"only {config.rows} rows; train the tokenizer with that many"
            )
        return layer

    def build(self, input_shape: object) -> None:
        """Makes the table."""
        self.table = self.add_table(self.table_rows)
        super().build(input_shape)

    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        pieces, index = self._distinct_pieces(features)
        rows = tf.nn.embedding_lookup(self.table, pieces.flat_values)
        # Absent items have no pieces; segment_sum alone would not give the last ones a row.
        sums = tf.math.unsorted_segment_sum(rows, pieces.value_rowids(), pieces.nrows())
        return tf.gather(sums, index)

    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        pieces, index = self._distinct_pieces(features)
        return tf.gather(tf.cast(pieces.row_lengths(), tf.int32), index)

    def _distinct_pieces(
        self, features: Mapping[str, tf.Tensor]
    ) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """Cuts each distinct Semantic ID once.

        Returns:
            Pieces int32 [U, (pieces)] of the distinct Semantic IDs, no pieces for an absent one,
            and int32 [...], the place of each item's Semantic ID among them.
        """
        sid, index = distinct_sids(features["sid"])
        present = self.present({"sid": sid})
        points = code_points(sid, self.levels, self.codebook_size)
        text = tf.strings.unicode_encode(tf.where(present[:, None], points, ord(" ")), "UTF-8")
        # Made anew in every graph, as a constant of it. A tokenizer made outside lives only as long
        # as the eager kernel that made it, and `tf.random.set_seed` ends all of those.
        tokenizer = tensorflow_text.SentencepieceTokenizer(model=self._tokenizer_model)
        return tokenizer.tokenize(tf.where(present, text, "")), index
