"""Semantic IDs as text for SentencePiece: a code is a character of a private plane."""

from typing import Any
from typing import TypeVar

import numpy as np

# U+F0000 .. U+FFFFD are the private plane's characters; the two after them are none.
FIRST_CODE_POINT = 0xF0000
MAX_CODES = 0xFFFE
SPECIAL_PIECES = 1

# An array or a tensor: TensorFlow is not imported for its name.
Codes = TypeVar("Codes", bound=Any)


def require_encodable(levels: int, codebook_size: int) -> None:
    """Refuses an SID space with more codes than the private plane has characters.

    Raises:
        ValueError: levels x codebook_size is larger than 65,534.
    """
    if levels * codebook_size > MAX_CODES:
        raise ValueError(
            f"levels x codebook_size = {levels} x {codebook_size} is {levels * codebook_size} "
            f"codes, but text can hold {MAX_CODES}; use fewer levels or a smaller codebook"
        )


def fewest_pieces(levels: int, codebook_size: int) -> int:
    """Pieces of the smallest tokenizer: one a code, and <unk>, which SentencePiece insists on.

    Args:
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).
    """
    return levels * codebook_size + SPECIAL_PIECES


def code_points(sids: Codes, levels: int, codebook_size: int) -> Codes:
    """The character of each code: U+F0000 + level x codebook_size + code.

    Args:
        sids: Integers [..., levels] in 0 .. codebook_size-1, as a NumPy array or a TensorFlow
            tensor of 32 bits or more.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).

    Returns:
        Unicode code points of the same kind, dtype and shape.
    """
    return sids + (FIRST_CODE_POINT + np.arange(levels, dtype=np.int32) * codebook_size)


def sids_to_text(sids: np.ndarray, codebook_size: int) -> list[str]:
    """Writes Semantic IDs as text.

    Args:
        sids: Integers [N, L] in 0 .. codebook_size-1.
        codebook_size: Codes at each level (K).

    Returns:
        N strings of L characters.

    Raises:
        ValueError: A code is out of range, or `sids` has not two axes.
    """
    sids = np.asarray(sids)
    if sids.ndim != 2:
        raise ValueError(f"sids must be [N, L], not of shape {list(sids.shape)}")
    outside = (sids < 0) | (sids >= codebook_size)
    if outside.any():
        row, level = np.argwhere(outside)[0]
        raise ValueError(
            f"code {sids[row, level]} in row {row}, level {level} is not in "
            f"0 .. {codebook_size - 1}"
        )
    levels = sids.shape[1]
    points = code_points(sids.astype(np.int64), levels, codebook_size).astype("<u4")
    # A UTF-32 string is its code points one after the other, so no loop over characters is needed.
    return np.ascontiguousarray(points).view(f"<U{levels}")[:, 0].tolist() if levels else []


def text_to_codes(text: str, codebook_size: int) -> tuple[tuple[int, int], ...]:
    """Reads text, such as a piece, back.

    Args:
        text: Characters made by `sids_to_text`.
        codebook_size: Codes at each level (K).

    Returns:
        One (level, code) a character.

    Raises:
        ValueError: A character stands for no code.
    """
    offsets = [ord(character) - FIRST_CODE_POINT for character in text]
    for character, offset in zip(text, offsets, strict=True):
        if not 0 <= offset < MAX_CODES:
            raise ValueError(f"character U+{ord(character):04X} stands for no code")
    return tuple(divmod(offset, codebook_size) for offset in offsets)
