"""A SID space that a run takes from another run's output folder."""

import dataclasses
import os
import shutil
import tempfile
from typing import Any

from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import released_rankers
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.days.ledger import LEDGER
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig

#: Folder, in the output folder, of the spaces that were taken.
_SPACES = "spaces"
_TAKEN = ("rqvae", "semantic_ids")


def with_taken_rqvae(config: Config, output: str) -> Config:
    """Fills in how the RQ-VAE that `rqvae.model` names was trained.

    Args:
        config: Of a run; its `rqvae` has the default or the same values beside `model`.
        output: Its output folder. Once that has released the space that it took, the other folder
            is not needed any more.

    Raises:
        ConfigError: A value differs from that of the RQ-VAE.
        InputError: `rqvae.model` is not the output folder of a run that released.
    """
    source = config.rqvae.model
    if source is None:
        return config
    model = os.path.abspath(source)
    taken = _own_rqvae(output)
    if taken.get("model") != model:
        taken = {**_ledger(source).space.rqvae, "model": model}
    given, default = to_dict(config.rqvae), to_dict(RqVaeConfig())
    for name, value in given.items():
        if name != "model" and value not in (taken[name], default[name]):
            raise ConfigError(
                f"rqvae.{name}: {value} is not what the RQ-VAE of {source} was trained with, "
                f"{taken[name]}; leave it out"
            )
    return dataclasses.replace(config, rqvae=RqVaeConfig(**taken))


def take_space(output: str, source: str) -> dict[str, Any]:
    """Copies the RQ-VAE and the Semantic IDs of another output folder.

    Args:
        output: The folder that they get into, once for all.
        source: The folder that they are from.

    Returns:
        `model` and `semantic_ids`, relative to the output folder.
    """
    last = _ledger(source).last.artifacts
    fingerprint = read_releases(Destinations.under(source).serving)[0].fingerprint
    folder = os.path.join(_SPACES, fingerprint)
    target = os.path.join(output, folder)
    if not os.path.isdir(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with tempfile.TemporaryDirectory(dir=os.path.dirname(target)) as temporary:
            copy = os.path.join(temporary, "copy")
            for name in _TAKEN:
                shutil.copytree(os.path.join(source, last[name]), os.path.join(copy, name))
            os.rename(copy, target)
    model, semantic_ids = (os.path.join(folder, name) for name in _TAKEN)
    return {"model": model, "semantic_ids": semantic_ids}


def _own_rqvae(output: str) -> dict[str, Any]:
    try:
        return Ledger.read(os.path.join(output, LEDGER)).space.rqvae
    except FileNotFoundError:
        return {}


def _ledger(source: str) -> Ledger:
    rankers = released_rankers(Destinations.under(source).serving)
    if not rankers:
        raise InputError(
            f"rqvae.model: nothing is released in {source}; give the output folder of a `sid run` "
            "that released"
        )
    return Ledger.open(source).followed(rankers)
