"""Profile of the training period's items in the RQ-VAE, to compare those of later days with."""

import dataclasses
import os

import numpy as np

from semantic_id_ranking.contracts.errors import InputError

FILE_NAME = "training_profile.npz"
#: Quantiles that are kept of the held-out items' errors and norms.
QUANTILES = (0.005, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995)


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingProfile:
    """The items of the training period, in numbers that do not grow with their number.

    Errors are those of held-out items, as an RQ-VAE describes the items that it was trained on
    better than any others.

    Attributes:
        items: Number of training items.
        held_out: Number of held-out items; the training items, where there were none.
        errors: float64 [Q], the `QUANTILES` of their relative errors, see `relative_errors`. Each
            is one of the errors, the next higher one.
        norms: float64 [Q], the same of their embeddings' norms.
        unfilled: int64 [2], how many of them have a first code, and a pair of first two codes, that
            no training item has.
        largest_id: Items that share the most common Semantic ID of the training items.
        code_counts: int64 [L, K], training items of each code.
        pairs: int64 [c], ascending: the pairs of first two codes of the training items, each as
            first x K + second; with one level, the first codes.
    """

    items: int
    held_out: int
    errors: np.ndarray
    norms: np.ndarray
    unfilled: np.ndarray
    largest_id: int
    code_counts: np.ndarray
    pairs: np.ndarray

    @classmethod
    def measure(
        cls,
        sids: np.ndarray,
        embeddings: np.ndarray,
        held_out_sids: np.ndarray,
        reconstructed: np.ndarray,
        codebook_size: int,
    ) -> "TrainingProfile":
        """Measures.

        Args:
            sids: int32 [N, L], of the training items.
            embeddings: float32 [M, D], of the held-out items, M at least 1.
            held_out_sids: int32 [M, L], theirs.
            reconstructed: float32 [M, D], what the RQ-VAE makes of these.
            codebook_size: Codes at each level (K).
        """
        errors = relative_errors(embeddings, reconstructed)
        norms = np.linalg.norm(embeddings.astype(np.float64), axis=1)
        counts = np.stack([np.bincount(level, minlength=codebook_size) for level in sids.T])
        known = np.unique(first_pairs(sids, codebook_size))
        return cls(
            items=len(sids),
            held_out=len(embeddings),
            errors=np.quantile(errors, QUANTILES, method="higher"),
            norms=np.quantile(norms, QUANTILES, method="higher"),
            unfilled=np.array(
                [
                    (counts[0][held_out_sids[:, 0]] == 0).sum(),
                    (~np.isin(first_pairs(held_out_sids, codebook_size), known)).sum(),
                ]
            ),
            largest_id=int(np.unique(sids, axis=0, return_counts=True)[1].max()),
            code_counts=counts,
            pairs=known,
        )

    def save(self, directory: str) -> None:
        """Writes `training_profile.npz` into an existing directory."""
        np.savez_compressed(os.path.join(directory, FILE_NAME), **dataclasses.asdict(self))

    @classmethod
    def load(cls, directory: str) -> "TrainingProfile":
        """Reads `training_profile.npz` from a directory.

        Raises:
            InputError: The directory holds none, as those of earlier versions.
        """
        path = os.path.join(directory, FILE_NAME)
        if not os.path.exists(path):
            raise InputError(
                f"{path}: is missing, with which the items of later days are compared; train the "
                "RQ-VAE anew"
            )
        with np.load(path, allow_pickle=False) as arrays:
            numbers = {name: int(arrays[name]) for name in ("items", "held_out", "largest_id")}
            return cls(**{**arrays, **numbers})


def relative_errors(embeddings: np.ndarray, reconstructed: np.ndarray) -> np.ndarray:
    """Each item's squared error relative to its squared norm, |x - x_hat|² / |x|².

    Args:
        embeddings: float32 [n, D].
        reconstructed: float32 [n, D].

    Returns:
        float64 [n]; infinite where the embedding is zero and its reconstruction is not.
    """
    errors = np.square(embeddings - reconstructed, dtype=np.float64).sum(axis=1)
    norms = np.square(embeddings, dtype=np.float64).sum(axis=1)
    infinite = np.where(errors > 0, np.inf, 0.0)
    return np.divide(errors, norms, out=infinite, where=norms > 0)


def first_pairs(sids: np.ndarray, codebook_size: int) -> np.ndarray:
    """The first two codes of Semantic IDs [n, L] as one number each, int64 [n]."""
    first = sids[:, 0].astype(np.int64)
    return first * codebook_size + sids[:, 1] if sids.shape[1] > 1 else first
