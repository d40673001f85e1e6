"""Statistics of the items that share a prefix."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PrefixRow:
    """Similarity of items that share the first codes of their Semantic IDs.

    Attributes:
        prefix: How many codes they share, 1 to L.
        pairs: Different pairs of items that share as many.
        mean_cosine: Mean cosine of the content embeddings of such a pair, -1 to 1; None where the
            pairs are too few to tell.
        subtree_size: 25th, 50th and 75th percentile of the items below a prefix in use.
    """

    prefix: int
    pairs: int
    mean_cosine: float | None
    subtree_size: list[float]
