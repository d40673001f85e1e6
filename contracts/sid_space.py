"""The space of Semantic IDs, and its fingerprint."""

import dataclasses
import hashlib
import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.errors import SidSpaceMismatchError

FILE_NAME = "sid_space.json"
CODEBOOKS_FILE = "codebooks.npy"
#: What the RQ-VAE answered when it was exported: `embedding` [n, D] and `sid` [n, L].
ENCODED_FILE = "encoded.npz"


@dataclasses.dataclass(frozen=True)
class SidSpace:
    """A space of Semantic IDs: the fingerprint and the dimensions of its RQ-VAE.

    Attributes:
        fingerprint: 16 hexadecimal digits of the SHA-256 of the RQ-VAE's weights.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K); codes are 0 .. K-1.
        embedding_dim: Length of the content embeddings (D); None for those who only look up or
            rank, as serving and its stores.
    """

    fingerprint: str
    levels: int
    codebook_size: int
    embedding_dim: int | None = None

    def save(self, directory: str) -> None:
        """Writes `sid_space.json` into a directory, which is made if need be."""
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, FILE_NAME), "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(self), file)

    @classmethod
    def load(cls, directory: str) -> "SidSpace":
        """Reads `sid_space.json` from a directory.

        Raises:
            FileNotFoundError: The directory holds none.
        """
        with open(os.path.join(directory, FILE_NAME), encoding="utf-8") as file:
            return cls.from_json(file.read())

    @classmethod
    def from_json(cls, text: str | bytes) -> "SidSpace":
        """Reads its fields, as JSON."""
        fields = json.loads(text)
        # Earlier spaces have it, empty.
        fields.pop("sizes", None)
        return cls(**fields)

    def require_embedding_dim(self) -> int:
        """The length of the content embeddings (D).

        Raises:
            ValueError: It is not known.
        """
        if self.embedding_dim is None:
            raise InputError(
                f"SID space {self.fingerprint}: has no embedding_dim, the length of the content "
                "embeddings, which is needed to read them"
            )
        return self.embedding_dim

    def require_same(self, other: "SidSpace", mine: str, others: str) -> None:
        """Refuses a mix of two spaces.

        Args:
            other: The other space.
            mine: What lives in this space, for the message.
            others: What lives in the other one.

        Raises:
            SidSpaceMismatchError: The fingerprints differ.
        """
        if self.fingerprint != other.fingerprint:
            raise SidSpaceMismatchError(
                f"{mine} lives in SID space {self.fingerprint} but {others} in "
                f"{other.fingerprint}; make both with the same RQ-VAE"
            )


def load_codebooks(directory: str) -> NDArray[np.float32] | None:
    """Reads the codebooks of a space, float32 [L, K, m], from beside its `sid_space.json`.

    Returns:
        None where the directory holds none.
    """
    path = os.path.join(directory, CODEBOOKS_FILE)
    return np.load(path, allow_pickle=False) if os.path.exists(path) else None


def fingerprint(weights: list[NDArray[Any]]) -> str:
    """Fingerprint of a model's weights.

    Args:
        weights: Arrays in a fixed order; shape, dtype and every bit count.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for array in weights:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
