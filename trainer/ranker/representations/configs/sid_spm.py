"""SentencePiece pieces of Semantic IDs."""

from typing import Literal
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence
from semantic_id_ranking.trainer.ranker.representation_config import RepresentationConfig
from semantic_id_ranking.trainer.ranker.representation_config import STRICT
from semantic_id_ranking.trainer.tokenizer.sid_text import fewest_pieces

if TYPE_CHECKING:
    from semantic_id_ranking.trainer.ranker.representations.item_representation import (
        ItemRepresentation,
    )
    from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer


@one_sentence
@dataclass(frozen=True, kw_only=True, config=STRICT)
class SidSpm(RepresentationConfig):
    """A row for each piece that SentencePiece tokenizes the Semantic ID into.

    Reference: Singh et al. (arXiv 2306.08121): SPM.

    Attributes:
        name: The representation.
        rows: Rows of the table: the pieces that the tokenizer may have.
        sampling: In training, a tokenization is drawn with this power of its probability,
            SentencePiece's alpha; 0 always takes the most probable one. It needs a tokenizer of
            model unigram.
    """

    name: Literal["sid_spm"] = "sid_spm"
    sampling: float = Field(default=0.0, ge=0)

    def table_rows(self, levels: int, codebook_size: int) -> int:
        """See the base class."""
        fewest = fewest_pieces(levels, codebook_size)
        if self.rows < fewest:
            raise ValueError(
                f"rows: {self.rows} is not allowed; sid_spm needs a row for each of the "
                f"{levels * codebook_size} codes and one more, {fewest} at least"
            )
        return self.rows

    def tokenizer_rows(self, levels: int, codebook_size: int) -> int:
        """See the base class: `rows`."""
        return self.rows

    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        from semantic_id_ranking.trainer.ranker.representations.piece_subwords import PieceSubwords
        from semantic_id_ranking.trainer.ranker.representations.subword_sum import SubwordSum

        pieces = PieceSubwords(resources, self.sampling)
        if pieces.table_rows > self.rows:
            raise ValueError(
                f"with this SID tokenizer, representation sid_spm takes {pieces.table_rows} rows, "
                f"but has only {self.rows}; train the tokenizer with fewer pieces"
            )
        return SubwordSum([pieces], dim, resources.space)
