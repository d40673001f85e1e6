"""Configuration of the SID tokenizer."""

from typing import Literal

from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence


@one_sentence
@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class TokenizerConfig:
    """The tokenization of Semantic IDs into pieces.

    The number of pieces is the table budget of the representation.

    Attributes:
        model: SentencePiece's algorithm.
        max_piece_codes: Codes in a piece, at most; None allows a whole Semantic ID.
    """

    model: Literal["unigram", "bpe"] = "unigram"
    max_piece_codes: int | None = Field(default=None, ge=1)
