"""Item representations, by the name that the configuration gives them.

A new one is a subclass of `ItemRepresentation` in a file of its own, a line here and its name in
`RepresentationConfig`.
"""

from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations.item_representation import ItemRepresentation
from trainer.ranker.representations.random_hash import RandomHash
from trainer.ranker.representations.sid_resources import SidResources
from trainer.ranker.representations.sid_spm import SidSpm
from trainer.ranker.representations.sid_unigram import SidUnigram

REGISTRY: dict[str, type[ItemRepresentation]] = {
    "random_hash": RandomHash,
    "sid_spm": SidSpm,
    "sid_unigram": SidUnigram,
}


def create_representation(
    config: RepresentationConfig, dim: int, resources: SidResources
) -> ItemRepresentation:
    """Makes a representation.

    Args:
        config: Its name and table budget.
        dim: Width of an item's vector (d).
        resources: The SID space and the tokenizer.

    Raises:
        ValueError: The representation refuses the configuration.
    """
    return REGISTRY[config.name].create(config, dim, resources)


__all__ = ["REGISTRY", "ItemRepresentation", "SidResources", "create_representation"]
