"""The SID space of a served model."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ServedSpace:
    """What the signature `info` of a served model tells.

    Attributes:
        fingerprint: Names the RQ-VAE whose Semantic IDs the model takes or gives.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K); codes are 0 .. K-1.
    """

    fingerprint: str
    levels: int
    codebook_size: int
