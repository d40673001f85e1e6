"""The SID space of a run: trained, taken from elsewhere, or that of the release before."""

import os

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.days.ledger import LEDGER
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.ledger import SpaceRecord
from semantic_id_ranking.pipeline.days.taken_space import take_space
from semantic_id_ranking.pipeline.load_config import ConfigError


def space_of_run(output: str, items_digest: str, config: Config, new_space: bool) -> SpaceRecord:
    """Decides whether a run trains a SID space, keeps the released one or takes another one.

    Args:
        output: The output folder.
        items_digest: Of the run's items, as `digest_of` gives it.
        config: What the run depends on.
        new_space: Whether the released space is not kept.

    Returns:
        The space. A run that is repeated with the same items gets what it got before, so that it is
        answered from the cache.

    Raises:
        ConfigError: The released space is kept, and `rqvae` is not what it was trained with.
    """
    rqvae = to_dict(config.rqvae)
    try:
        ledger = Ledger.read(os.path.join(output, LEDGER))
    except FileNotFoundError:
        ledger = None
    if ledger is None or new_space:
        source = config.rqvae.model
        taken = {} if source is None else take_space(output, source)
        return SpaceRecord(items_digest=items_digest, rqvae=rqvae, **taken)
    if ledger.space.rqvae != rqvae:
        raise ConfigError(
            f"rqvae: differs from that of the SID space released in {output}, which stays; leave "
            "it as it was, or give --new-space to have another"
        )
    if ledger.space.items_digest == items_digest:
        return ledger.space
    last = ledger.last.artifacts
    return SpaceRecord(
        items_digest=items_digest,
        rqvae=rqvae,
        model=last["rqvae"],
        semantic_ids=last["semantic_ids"],
    )
