"""Hashed item IDs."""

from typing import ClassVar
from typing import Literal
from typing import TYPE_CHECKING

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
class RandomHash(RepresentationConfig):
    """A row for the hash of the item ID: items share rows by chance.

    Attributes:
        name: The representation.
    """

    name: Literal["random_hash"] = "random_hash"

    item_fields: ClassVar[tuple[str, ...]] = ("item_id",)

    def table_rows(self, levels: int, codebook_size: int) -> int:
        """All."""
        return self.rows

    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        from semantic_id_ranking.trainer.ranker.representations.item_id_subwords import (
            ItemIdSubwords,
        )
        from semantic_id_ranking.trainer.ranker.representations.key_rows import HashedRows
        from semantic_id_ranking.trainer.ranker.representations.subword_sum import SubwordSum

        return SubwordSum([ItemIdSubwords(HashedRows(self.rows))], dim, resources.space)
