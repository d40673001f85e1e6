"""Codes, content and memory of Semantic IDs."""

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


# Frequency rows, at most; the last of 24 is for 8 million impressions and more.
_FREQUENCY_ROWS = 24
# One row of so many is a frequency row in a small table.
_FREQUENCY_SHARE = 10
# Levels whose codes have rows, at most: finer codes cost more than they tell.
_CODE_LEVELS = 4
# The row of absent items.
_ABSENT = 1


@one_sentence
@dataclass(frozen=True, kw_only=True, config=STRICT)
class SidHybrid(RepresentationConfig):
    """Rows of the codes, a map of the content, and a row of its own for a frequent Semantic ID.

    See `SidHybridRepresentation`, the layer.

    Attributes:
        name: The representation.
        tau: Training impressions at which an item's own row counts half.
        fade: Training impressions at which an item's content counts half.
    """

    name: Literal["sid_hybrid"] = "sid_hybrid"
    tau: float = Field(default=1.0, gt=0)
    fade: float = Field(default=10.0, gt=0)

    def table_rows(self, levels: int, codebook_size: int) -> int:
        """All, if there are Semantic IDs enough."""
        self.shares(levels, codebook_size)
        return self.rows

    def shares(self, levels: int, codebook_size: int) -> tuple[list[int], int, int]:
        """Rows of the codes of each level, of frequencies, and of single items; codes come first.

        One row more is that of absent items.

        Only the coarsest four levels have rows, or as many as the rows suffice for: fine codes that
        share rows say less than none. The first level always has some.

        Args:
            levels: Codes in a Semantic ID (L).
            codebook_size: Codes at each level (K).

        Raises:
            ValueError: The rows do not suffice.
        """
        frequencies = min(max(self.rows // _FREQUENCY_SHARE, 1), _FREQUENCY_ROWS)
        left = self.rows - frequencies - _ABSENT
        if left < 1:
            raise ValueError(
                f"rows: {self.rows} is not allowed; {self.rows} rows cannot be shared by a code, a "
                "frequency and absent items; sid_hybrid needs 3 or more"
            )
        with_rows = min(left // codebook_size, levels, _CODE_LEVELS)
        # Of no level all: then the first level's codes share what is left.
        codes = [codebook_size] * with_rows or [left]
        return codes, frequencies, left - sum(codes)

    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        from semantic_id_ranking.trainer.ranker.representations.ngram_subwords import NgramSubwords
        from semantic_id_ranking.trainer.ranker.representations.seen_sids import SeenSids
        from semantic_id_ranking.trainer.ranker.representations.sid_content import SidContent
        from semantic_id_ranking.trainer.ranker.representations.sid_hybrid_representation import (
            SidHybridRepresentation,
        )

        space = resources.space
        codes, frequencies, own = self.shares(space.levels, space.codebook_size)
        items = resources.require_items()
        seen = SeenSids(items, own, resources.added)
        return SidHybridRepresentation(
            NgramSubwords(1, codes, space),
            SidContent(resources.require_codebooks(), seen.sids[~seen.added], dim),
            frequencies,
            seen,
            dim,
            space,
            self.tau,
            self.fade,
        )
