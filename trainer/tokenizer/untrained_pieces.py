"""Pieces of Semantic IDs that no training impression had, whose rows are as they were drawn."""

import numpy as np

from semantic_id_ranking.trainer.rqvae.drift import UntrainedPieces
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer


def untrained_pieces(tokenizer: SidTokenizer, sids: np.ndarray) -> UntrainedPieces:
    """Counts the items with such a piece.

    Args:
        tokenizer: With the items of the train split.
        sids: int32 [n, L], of new items.

    Raises:
        ValueError: The tokenizer has no model, or no items.
    """
    trained = tokenizer.rows(tokenizer.require_items().sids)
    items_of = np.bincount(trained[trained >= 0], minlength=tokenizer.table_rows)
    rows = tokenizer.rows(sids)
    return UntrainedPieces(
        new=_any(items_of == 0, rows), items=len(trained), alone=_any(items_of == 1, trained)
    )


def _any(flags: np.ndarray, rows: np.ndarray) -> int:
    """How many items have a row that is flagged; rows are int32 [n, L], -1 behind the last."""
    return int((flags[rows] & (rows >= 0)).any(axis=1).sum())
