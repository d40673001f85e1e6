"""Detection of outlying embeddings."""

import dataclasses

import numpy as np

# Embeddings that the bounds are measured on.
_SAMPLE = 20_000
_SLICE = 4096
# An embedding is outlying at so many times the distance that this share of the others keep. Up to
# a hundredfold, an outlier takes a code or two; far above, it takes the first level from all others
# and their digits from the arithmetic. A group of more than a twentieth is no outlier.
_SHARE = 0.95
_TIMES = 100.0


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Bounds of the embeddings of a data set.

    Attributes:
        centre: float64 [D], the median of each dimension.
        radius: Distance from the centre beyond which an embedding is outlying.
    """

    centre: np.ndarray
    radius: float

    @classmethod
    def measure(cls, embeddings: np.ndarray) -> "Bounds":
        """Measures a data set.

        Args:
            embeddings: float32 [N, D], finite, N at least 1.
        """
        if len(embeddings) > _SAMPLE:
            chosen = np.random.default_rng(0).choice(len(embeddings), _SAMPLE, replace=False)
            embeddings = embeddings[chosen]
        centre = np.median(embeddings, axis=0).astype(np.float64)
        distances = _distances(embeddings, centre)
        # Copies of one embedding tell nothing of how far the others may be.
        apart = distances[distances > 0]
        radius = _TIMES * np.quantile(apart, _SHARE, method="lower") if len(apart) else np.inf
        return cls(centre, float(radius))

    def outlying(self, embeddings: np.ndarray) -> np.ndarray:
        """The mask of the outlying ones of embeddings [N, D]; bool [N]."""
        return _distances(embeddings, self.centre) > self.radius


def _distances(rows: np.ndarray, centre: np.ndarray) -> np.ndarray:
    # In float64, in which the square of no float32 overflows or vanishes.
    parts = [
        np.linalg.norm(rows[begin : begin + _SLICE] - centre, axis=1)
        for begin in range(0, len(rows), _SLICE)
    ]
    return np.concatenate(parts) if parts else np.empty(0)
