"""What a representation may need to know besides its configuration."""

import dataclasses
import os

from trainer.sid_space import SidSpace
from trainer.tokenizer.train import ASSETS_EXTRA
from trainer.tokenizer.train import MODEL_FILE


@dataclasses.dataclass(frozen=True)
class SidResources:
    """The SID space and its tokenizer.

    Attributes:
        space: The SID space of every `sid` field.
        tokenizer_model: SentencePiece's serialized model, or None where no tokenizer was trained.
    """

    space: SidSpace
    tokenizer_model: bytes | None = None

    @classmethod
    def load(cls, directory: str) -> "SidResources":
        """Reads a tokenizer directory.

        Raises:
            FileNotFoundError: The directory lacks one of its files.
        """
        with open(os.path.join(directory, MODEL_FILE), "rb") as file:
            return cls(SidSpace.load(os.path.join(directory, ASSETS_EXTRA)), file.read())
