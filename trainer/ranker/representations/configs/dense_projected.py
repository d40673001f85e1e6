"""The content embedding under a wider first layer."""

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
class DenseProjected(RepresentationConfig):
    """The content embedding, as `Dense`, under a ranker whose first layer is wider.

    Attributes:
        name: The representation.
        rows: Rows of the baselines that have tables; the embedding has no table.
        separate_tables: Whether candidate, current item and history have maps of their own; else
            they share.
        factor: How much wider than `ranker.bottom_widths` says the ranker's first shared layer is.
    """

    name: Literal["dense_projected"] = "dense_projected"
    factor: float = Field(default=2.0, ge=1)

    item_fields: ClassVar[tuple[str, ...]] = ("embedding",)

    def table_rows(self, levels: int, codebook_size: int) -> int:
        """None at all."""
        return 0

    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        from semantic_id_ranking.trainer.ranker.representations.dense_representation import (
            DenseRepresentation,
        )

        return DenseRepresentation(dim, resources.space, self.factor)
