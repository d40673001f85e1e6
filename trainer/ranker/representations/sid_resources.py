"""What a representation may need to know besides its configuration."""

import dataclasses
import os

import numpy as np

from semantic_id_ranking.contracts.sid_space import load_codebooks
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.impressed_items import FILE_NAME as IMPRESSED_ITEMS_FILE
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
from semantic_id_ranking.trainer.tokenizer.train import ASSETS_EXTRA
from semantic_id_ranking.trainer.tokenizer.train import MODEL_FILE


@dataclasses.dataclass(frozen=True)
class SidResources:
    """The SID space, its tokenizer, and the items of the train split.

    Attributes:
        space: The SID space of every `sid` field.
        tokenizer_model: SentencePiece's serialized model, or None where no tokenizer was trained.
        items: The items that were shown in training, or None where they are not known.
        codebooks: float32 [L, K, m], what each code adds to an item's place in the RQ-VAE's latent
            space; or None where they are not known.
    """

    space: SidSpace
    tokenizer_model: bytes | None = None
    items: ImpressedItems | None = None
    codebooks: np.ndarray | None = None

    def require_items(self) -> ImpressedItems:
        """The items of the train split.

        Raises:
            ValueError: They are not known.
        """
        if self.items is None:
            raise ValueError("a vocabulary of items needs the items of the train split")
        return self.items

    def require_codebooks(self) -> np.ndarray:
        """The codebooks.

        Raises:
            ValueError: They are not known.
        """
        if self.codebooks is None:
            raise ValueError("the content of Semantic IDs needs the codebooks of the RQ-VAE")
        return self.codebooks

    @classmethod
    def load(cls, directory: str) -> "SidResources":
        """Reads a tokenizer directory, which may lack `items` and `codebooks`.

        Raises:
            FileNotFoundError: The directory lacks one of its other files.
        """
        with open(os.path.join(directory, MODEL_FILE), "rb") as file:
            model = file.read()
        items = os.path.exists(os.path.join(directory, IMPRESSED_ITEMS_FILE))
        extra = os.path.join(directory, ASSETS_EXTRA)
        return cls(
            SidSpace.load(extra),
            model,
            ImpressedItems.load(directory) if items else None,
            load_codebooks(extra),
        )
