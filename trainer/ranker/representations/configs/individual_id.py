"""Item IDs with a row each."""

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
class IndividualId(RepresentationConfig):
    """A row for each item of the train split, and one for all others.

    Attributes:
        name: The representation.
        rows: Rows of the baselines that have tables; the items set the rows of this table.
    """

    name: Literal["individual_id"] = "individual_id"

    item_fields: ClassVar[tuple[str, ...]] = ("item_id",)

    def table_rows(self, levels: int, codebook_size: int) -> None:
        """The number of items sets them."""

    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        from semantic_id_ranking.trainer.ranker.representations.item_id_subwords import (
            item_id_vocabulary,
        )
        from semantic_id_ranking.trainer.ranker.representations.item_id_subwords import (
            ItemIdSubwords,
        )
        from semantic_id_ranking.trainer.ranker.representations.subword_sum import SubwordSum

        ids = ItemIdSubwords(item_id_vocabulary(resources))
        return SubwordSum([ids], dim, resources.space)
