"""Tokenization of Semantic IDs inside a TensorFlow graph."""

import tensorflow as tf
import tensorflow_text

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.sid_text import code_points

NO_PIECE = -1


def piece_rows(model: bytes, space: SidSpace, sids: tf.Tensor, sampling: float = 0.0) -> tf.Tensor:
    """Rows of the pieces of Semantic IDs.

    Args:
        model: The serialized SentencePiece model.
        space: The SID space.
        sids: int32 [n, L]; the first code -1 where there is no item.
        sampling: A tokenization is drawn with this power of its probability, SentencePiece's alpha;
            0 always takes the most probable one.

    Returns:
        int64 [n, L], `NO_PIECE` behind the last piece.

    Reference: Kudo, "Subword Regularization" (arXiv 1804.10959), for the sampling.
    """
    present = sids[:, 0] >= 0
    points = code_points(sids, space.levels, space.codebook_size)
    text = tf.strings.unicode_encode(tf.where(present[:, None], points, ord(" ")), "UTF-8")
    # Made anew in every graph, as a constant of it. A tokenizer made outside lives only as long as
    # the eager kernel that made it, and `tf.random.set_seed` ends all of those.
    tokenizer = tensorflow_text.SentencepieceTokenizer(
        model=model, nbest_size=-1 if sampling else 0, alpha=sampling or 1.0
    )
    pieces = tokenizer.tokenize(tf.where(present, text, ""))
    return tf.cast(pieces.to_tensor(NO_PIECE, shape=[None, space.levels]), tf.int64)
