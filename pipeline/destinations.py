"""The folders that a run writes into."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Destinations:
    """Where a run writes.

    Attributes:
        root: Folder of all artifacts.
        metadata: SQLite file of ML Metadata.
        serving: Base folder of the pushed models: `serving/<model>/<version>/`.
    """

    root: str
    metadata: str
    serving: str

    @classmethod
    def under(cls, directory: str) -> "Destinations":
        """The layout of an output directory."""
        return cls(
            root=os.path.join(directory, "artifacts"),
            metadata=os.path.join(directory, "metadata.sqlite"),
            serving=os.path.join(directory, "serving"),
        )
