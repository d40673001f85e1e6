"""The folders that a run writes into."""

import dataclasses
import os

#: Of the form that Kubeflow Pipelines asks for: small letters, digits and hyphens.
PIPELINE_NAME = "semantic-id-ranking"
#: Folder of the pushed models, in an output folder.
SERVING = "serving"


@dataclasses.dataclass(frozen=True)
class Destinations:
    """The folders and files that a run writes.

    Attributes:
        root: Folder of all artifacts.
        metadata: SQLite file of ML Metadata.
        serving: Base folder of the pushed models: `serving/<model>/<version>/`.
        temporary: Folder of temporary files, which each run empties.
        fingerprints: File of what is known of the content of the inputs' files; None: no such file.
    """

    root: str
    metadata: str
    serving: str
    temporary: str
    fingerprints: str | None = None

    @classmethod
    def under(cls, directory: str) -> "Destinations":
        """The layout of an output directory."""
        return cls(
            root=os.path.join(directory, "artifacts"),
            metadata=os.path.join(directory, "metadata.sqlite"),
            serving=os.path.join(directory, SERVING),
            temporary=os.path.join(directory, "tmp"),
            fingerprints=os.path.join(directory, "fingerprints.json"),
        )
