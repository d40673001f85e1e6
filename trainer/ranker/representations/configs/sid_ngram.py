"""Groups of N codes."""

from typing import Literal
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence
from semantic_id_ranking.trainer.ranker.representation_config import RepresentationConfig
from semantic_id_ranking.trainer.ranker.representation_config import STRICT

if TYPE_CHECKING:
    from semantic_id_ranking.trainer.ranker.representations.item_representation import (
        ItemRepresentation,
    )
    from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer


@one_sentence
@dataclass(frozen=True, kw_only=True, config=STRICT)
class SidNgram(RepresentationConfig):
    """A row for every N codes of the Semantic ID, without overlap.

    Where the rows do not suffice for all groups there can be, groups share rows by hashing.

    Reference: Singh et al. (arXiv 2306.08121): N-gram.

    Attributes:
        name: The representation.
        n: Codes in a group (1: each code by itself).
    """

    name: Literal["sid_ngram"] = "sid_ngram"
    n: int = Field(default=1, ge=1)

    def table_rows(self, levels: int, codebook_size: int) -> int:
        """See the base class."""
        return sum(self.group_rows(levels, codebook_size))

    def group_rows(self, levels: int, codebook_size: int) -> list[int]:
        """Rows of each group; the last one is shorter where N does not divide the levels.

        Args:
            levels: Codes in a Semantic ID (L).
            codebook_size: Codes at each level (K).

        Raises:
            ValueError: There are more groups than rows, or N is larger than L.
        """
        if self.n > levels:
            raise ValueError(
                f"n: {self.n} is not allowed; groups of {self.n} codes cannot be taken from "
                f"{levels} levels"
            )
        lengths = [min(self.n, levels - first) for first in range(0, levels, self.n)]
        return self._split_rows(self.rows, [codebook_size**length for length in lengths])

    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        from semantic_id_ranking.trainer.ranker.representations.ngram_subwords import NgramSubwords
        from semantic_id_ranking.trainer.ranker.representations.subword_sum import SubwordSum

        space = resources.space
        rows = self.group_rows(space.levels, space.codebook_size)
        return SubwordSum([NgramSubwords(self.n, rows, space)], dim, space)
