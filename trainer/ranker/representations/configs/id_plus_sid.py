"""Codes beside hashed item IDs."""

from typing import ClassVar
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
class IdPlusSid(RepresentationConfig):
    """A row for each code of the Semantic ID, and one for the hash of the item ID.

    Attributes:
        name: The representation.
        memory_share: Share of the rows that are item IDs'. The codes have the others, and use at
            most levels x codebook_size of them: what they leave are item IDs' too.
    """

    name: Literal["id_plus_sid"] = "id_plus_sid"
    memory_share: float = Field(default=0.5, gt=0, lt=1)

    item_fields: ClassVar[tuple[str, ...]] = ("sid", "item_id")

    def table_rows(self, levels: int, codebook_size: int) -> int:
        """All, if they suffice for the codes."""
        self.code_rows(levels, codebook_size)
        return self.rows

    def code_rows(self, levels: int, codebook_size: int) -> list[int]:
        """Rows of the codes of each level; the others are item IDs'.

        Args:
            levels: Codes in a Semantic ID (L).
            codebook_size: Codes at each level (K).

        Raises:
            ValueError: There are more levels than rows for codes.
        """
        asked = self.rows - round(self.memory_share * self.rows)
        return self._split_rows(asked, [codebook_size] * levels)

    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        from semantic_id_ranking.trainer.ranker.representations.item_id_subwords import (
            ItemIdSubwords,
        )
        from semantic_id_ranking.trainer.ranker.representations.key_rows import HashedRows
        from semantic_id_ranking.trainer.ranker.representations.ngram_subwords import NgramSubwords
        from semantic_id_ranking.trainer.ranker.representations.subword_sum import SubwordSum

        space = resources.space
        codes = NgramSubwords(1, self.code_rows(space.levels, space.codebook_size), space)
        ids = ItemIdSubwords(HashedRows(self.rows - codes.table_rows))
        return SubwordSum([codes, ids], dim, space)
