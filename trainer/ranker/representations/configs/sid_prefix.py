"""Prefixes of Semantic IDs."""

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
class SidPrefix(RepresentationConfig):
    """A row for the first code, for the first two, and so on; hashed where there are fewer rows.

    Reference: prefix n-gram (arXiv 2504.02137).

    Attributes:
        name: The representation.
        depth: Codes of the longest prefix; None takes all.
    """

    name: Literal["sid_prefix"] = "sid_prefix"
    depth: int | None = Field(default=None, ge=1)

    def table_rows(self, levels: int, codebook_size: int) -> int:
        """See the base class."""
        return sum(self.depth_rows(levels, codebook_size))

    def depth_rows(self, levels: int, codebook_size: int) -> list[int]:
        """Rows of the prefixes of 1, 2, … codes.

        Args:
            levels: Codes in a Semantic ID (L).
            codebook_size: Codes at each level (K).

        Raises:
            ValueError: There are more depths than rows, or the depth is larger than L.
        """
        depth = self.depth or levels
        if depth > levels:
            raise ValueError(
                f"depth: {depth} is not allowed; prefixes of {depth} codes cannot be taken from "
                f"{levels} levels"
            )
        return self._split_rows(
            self.rows, [codebook_size**length for length in range(1, depth + 1)]
        )

    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        from semantic_id_ranking.trainer.ranker.representations.prefix_subwords import (
            HashedPrefixes,
        )
        from semantic_id_ranking.trainer.ranker.representations.subword_sum import SubwordSum

        space = resources.space
        rows = self.depth_rows(space.levels, space.codebook_size)
        return SubwordSum([HashedPrefixes(rows, space)], dim, space)
