"""Progress of a batch of Semantic IDs into a store."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Written in one transaction with the Semantic IDs that it counts.

    Attributes:
        source: Names the batch and its content; another batch, or a changed one, has another name.
        rows: Its rows, from the first on, that are in the store.
    """

    source: str
    rows: int
