"""The table of a new SID tokenizer, from that of an old one."""

import numpy as np
import sentencepiece

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.tokenizer.carry_rows import carry_rows
from semantic_id_ranking.trainer.tokenizer.carry_rows import TableRows
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer


def carry_pieces(
    old: SidTokenizer, new: SidTokenizer, rows: TableRows, start: TableRows
) -> TableRows:
    """Carries the rows of pieces.

    A piece of both tokenizers keeps its row; a new one starts as the sum of the rows of the pieces
    that the old tokenizer makes of it. An item's sum of rows stays where its new pieces, each
    spelled in old ones, are its old pieces; where the old tokenizer had a piece across the boundary
    of two new ones it moves.

    Pieces are compared by their codes: after a refresh the codes of the new space have to be in the
    names of the old one, as `align_codes` gives them.

    Args:
        old: Its pieces are the rows carried.
        new: Trained anew, on Semantic IDs of as many levels and codes.
        rows: [P_old, d].
        start: [P_new, d], what the new table begins with; nothing of it is left, as all codes are
            pieces of both, unless a piece of the new one has codes of one level twice.

    Returns:
        [P_new, d].

    Raises:
        InputError: The two spaces have other sizes, or the rows are not as many as the pieces.
    """
    sizes = [(one.space.levels, one.space.codebook_size) for one in (old, new)]
    if sizes[0] != sizes[1]:
        raise InputError(
            f"the old SID tokenizer has {sizes[0][0]} levels of {sizes[0][1]} codes and the new "
            f"one {sizes[1][0]} of {sizes[1][1]}; rows can be carried between equal ones only"
        )
    speller = _processor(old)
    return carry_rows(
        _pieces(speller),
        _pieces(_processor(new)),
        rows,
        start,
        lambda piece: speller.encode(str(piece), out_type=str),
    )


def moved_share(
    old: SidTokenizer,
    new: SidTokenizer,
    before: np.ndarray,
    after: np.ndarray,
    sids: np.ndarray,
    impressions: np.ndarray,
    new_sids: np.ndarray | None = None,
    tolerance: float = 1e-5,
) -> float:
    """Share of the impressions whose item's sum of rows moves.

    Args:
        old: Tokenizer of `before`.
        new: Tokenizer of `after`.
        before: float32 [P_old, d].
        after: float32 [P_new, d].
        sids: int32 [N, L], of items, in the old space.
        impressions: Integers [N], of each item.
        new_sids: int32 [N, L], in the new space; None: the same.
        tolerance: Moves that are none, relative to the largest number of `before`: rounding.

    Returns:
        0 .. 1.
    """
    sums = _sums(old, before, sids), _sums(new, after, sids if new_sids is None else new_sids)
    moves = np.abs(sums[0] - sums[1]).max(axis=1) > tolerance * np.abs(before).max()
    return float(np.asarray(impressions)[moves].sum() / np.sum(impressions))


def _sums(tokenizer: SidTokenizer, table: np.ndarray, sids: np.ndarray) -> np.ndarray:
    """Sum of each item's rows, float64 [N, d]."""
    rows = tokenizer.rows(sids)
    padded = np.concatenate([table.astype(np.float64), np.zeros((1, table.shape[1]))])
    return padded[rows].sum(axis=1)


def _processor(tokenizer: SidTokenizer) -> sentencepiece.SentencePieceProcessor:
    if tokenizer.model is None:
        raise InputError("pieces of Semantic IDs need a trained SID tokenizer")
    return sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model)


def _pieces(processor: sentencepiece.SentencePieceProcessor) -> list[str]:
    return [processor.id_to_piece(row) for row in range(processor.get_piece_size())]
