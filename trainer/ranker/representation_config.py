"""Base of the configurations of all representations."""

import abc
from collections.abc import Sequence
from typing import ClassVar
from typing import TYPE_CHECKING

from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence
from semantic_id_ranking.trainer.ranker.table_budget import split_rows
from semantic_id_ranking.trainer.tokenizer.sid_text import fewest_pieces

if TYPE_CHECKING:
    from semantic_id_ranking.trainer.ranker.representations.item_representation import (
        ItemRepresentation,
    )
    from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

STRICT = ConfigDict(extra="forbid")


@one_sentence
@dataclass(frozen=True, kw_only=True, config=STRICT)
class RepresentationConfig(abc.ABC):
    """The representation of an item in the ranker.

    A representation is a subclass with its name, its options and what follows from them, and a
    member of `Representation` in the package's `__init__`. Layers are imported where they are
    made: to read a configuration takes no TensorFlow.

    Attributes:
        name: The representation.
        rows: Rows of the embedding tables together, at most.
        separate_tables: Whether candidate, current item and history have tables of their own, each
            of `rows` rows; else they share.
    """

    name: str
    rows: int = Field(default=4096, ge=1)
    separate_tables: bool = False

    item_fields: ClassVar[tuple[str, ...]] = ("sid",)
    """What is read of an item: `sid`, `item_id`, `embedding`."""

    @abc.abstractmethod
    def table_rows(self, levels: int, codebook_size: int) -> int | None:
        """Rows that its tables take, at most; of separate tables, those of one role.

        Args:
            levels: Codes in a Semantic ID (L).
            codebook_size: Codes at each level (K).

        Returns:
            The rows; None where the number of items sets them.

        Raises:
            ValueError: There can be no such tables. The message begins with the field that is
                wrong and its value.
        """

    def tokenizer_rows(self, levels: int, codebook_size: int) -> int:
        """Pieces that the SID tokenizer may have; it is trained whatever the representation reads.

        Args:
            levels: Codes in a Semantic ID (L).
            codebook_size: Codes at each level (K).
        """
        return max(self.rows, fewest_pieces(levels, codebook_size))

    def create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        """Makes the layer.

        Args:
            dim: Width of an item's vector (d).
            resources: The SID space, the tokenizer and the items of the train split.

        Raises:
            ValueError: The configuration and the resources do not fit, or a resource is missing.
        """
        if not self.separate_tables:
            return self._create(dim, resources)
        from semantic_id_ranking.trainer.ranker.features import ROLES
        from semantic_id_ranking.trainer.ranker.representations.separate_tables import (
            SeparateTables,
        )

        return SeparateTables(lambda: self._create(dim, resources), ROLES)

    def _split_rows(self, budget: int, capacities: Sequence[int]) -> list[int]:
        """`split_rows`, whose refusal names the field."""
        try:
            return split_rows(budget, capacities)
        except ValueError as error:
            raise ValueError(f"rows: {self.rows} is not allowed; {error}") from None

    @abc.abstractmethod
    def _create(self, dim: int, resources: "SidTokenizer") -> "ItemRepresentation":
        """Makes the layer of one role, or of all that share."""
