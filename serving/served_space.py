"""An SID space, as serving knows it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ServedSpace:
    """What the signature `info` of a served model tells, and a store keeps with its Semantic IDs.

    Attributes:
        fingerprint: Names the RQ-VAE whose Semantic IDs the model takes or gives, or the store
            holds.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K), at the largest where they differ; codes are
            0 .. K-1.
    """

    fingerprint: str
    levels: int
    codebook_size: int
