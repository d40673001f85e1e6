"""Origin of a run: its configuration, seeds, versions and data."""

import dataclasses
import hashlib
import importlib.metadata
import platform

from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.inputs import Inputs
from semantic_id_ranking.pipeline.run_summary import RunOrigin

_PACKAGES = (
    "semantic-id-ranking",
    "apache-beam",
    "numpy",
    "pyarrow",
    "sentencepiece",
    "tensorflow",
    "tf-keras",
    "tfx",
)


def run_origin(config: Config, inputs: Inputs, destinations: Destinations) -> RunOrigin:
    """All that a run depends on.

    Args:
        config: Its configuration.
        inputs: Its input files.
        destinations: Where it remembers their digests.
    """
    fingerprints = Fingerprints(destinations.fingerprints)
    effective = dataclasses.replace(config, thresholds=config.effective_thresholds)
    return RunOrigin(
        config=to_dict(effective),
        seeds={"rqvae": config.rqvae.seed, "ranker": config.ranker.seed},
        versions={"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _PACKAGES},
        data={
            "items": _digest(inputs.items, fingerprints),
            "impressions": _digest(inputs.impressions, fingerprints),
        },
    )


def _digest(data: DataSet, fingerprints: Fingerprints) -> str:
    """Digest of the files' content; their folders may have other names."""
    files = sorted(file["blake2"] for file in fingerprints.record(data)["files"])
    return hashlib.blake2b("".join(files).encode(), digest_size=16).hexdigest()
