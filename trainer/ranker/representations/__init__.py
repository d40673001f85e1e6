"""Item representations, by the name that the configuration gives them.

A new one is a subclass of `ItemRepresentation` or another sum of `Subwords`, a function here, and
its name and options in `RepresentationConfig`.
"""

from collections.abc import Callable

from semantic_id_ranking.trainer.ranker.config import RepresentationConfig
from semantic_id_ranking.trainer.ranker.features import CANDIDATE
from semantic_id_ranking.trainer.ranker.features import CURRENT
from semantic_id_ranking.trainer.ranker.features import HISTORY
from semantic_id_ranking.trainer.ranker.representations.dense import Dense
from semantic_id_ranking.trainer.ranker.representations.item_id_subwords import item_id_vocabulary
from semantic_id_ranking.trainer.ranker.representations.item_id_subwords import ItemIdSubwords
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors
from semantic_id_ranking.trainer.ranker.representations.key_rows import HashedRows
from semantic_id_ranking.trainer.ranker.representations.ngram_subwords import NgramSubwords
from semantic_id_ranking.trainer.ranker.representations.piece_subwords import PieceSubwords
from semantic_id_ranking.trainer.ranker.representations.prefix_subwords import HashedPrefixes
from semantic_id_ranking.trainer.ranker.representations.separate_tables import SeparateTables
from semantic_id_ranking.trainer.ranker.representations.shown_sids import ShownSids
from semantic_id_ranking.trainer.ranker.representations.sid_content import SidContent
from semantic_id_ranking.trainer.ranker.representations.sid_hybrid import SidHybrid
from semantic_id_ranking.trainer.ranker.representations.subword_sum import SubwordSum
from semantic_id_ranking.trainer.ranker.table_budget import code_rows
from semantic_id_ranking.trainer.ranker.table_budget import hybrid_rows
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

Create = Callable[[RepresentationConfig, int, SidTokenizer], ItemRepresentation]


def _random_hash(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> SubwordSum:
    return SubwordSum([ItemIdSubwords(HashedRows(config.rows))], dim, resources.space)


def _individual_id(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> SubwordSum:
    ids = ItemIdSubwords(item_id_vocabulary(resources))
    return SubwordSum([ids], dim, resources.space)


def _dense(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> Dense:
    return Dense(dim, resources.space)


def _dense_projected(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> Dense:
    return Dense(dim, resources.space, config.factor)


def _sid_ngram(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> SubwordSum:
    ngrams = NgramSubwords(config.n, config.rows, resources.space)
    return SubwordSum([ngrams], dim, resources.space)


def _sid_prefix(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> SubwordSum:
    depth = config.depth or resources.space.levels
    prefixes = HashedPrefixes(range(1, depth + 1), config.rows, resources.space)
    return SubwordSum([prefixes], dim, resources.space)


def _sid_spm(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> SubwordSum:
    pieces = PieceSubwords(resources, config.sampling)
    if pieces.table_rows > config.rows:
        raise ValueError(
            f"with this SID tokenizer, representation sid_spm takes {pieces.table_rows} rows, but "
            f"has only {config.rows}; train the tokenizer with fewer pieces"
        )
    return SubwordSum([pieces], dim, resources.space)


def _id_plus_sid(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> SubwordSum:
    space = resources.space
    codes = NgramSubwords(1, code_rows(config, space.levels, space.codebook_size), space)
    ids = ItemIdSubwords(HashedRows(config.rows - codes.table_rows))
    return SubwordSum([codes, ids], dim, space)


def _sid_hybrid(config: RepresentationConfig, dim: int, resources: SidTokenizer) -> SidHybrid:
    space = resources.space
    codes, frequencies, own = hybrid_rows(config, space.levels, space.codebook_size)
    shown = ShownSids(resources.require_items(), own)
    return SidHybrid(
        NgramSubwords(1, codes, space, max(codes // space.codebook_size, 1)),
        SidContent(resources.require_codebooks(), shown.sids, dim),
        frequencies,
        shown,
        dim,
        space,
        config.tau,
        config.fade,
    )


REGISTRY: dict[str, Create] = {
    "random_hash": _random_hash,
    "individual_id": _individual_id,
    "dense": _dense,
    "dense_projected": _dense_projected,
    "sid_ngram": _sid_ngram,
    "sid_prefix": _sid_prefix,
    "sid_spm": _sid_spm,
    "id_plus_sid": _id_plus_sid,
    "sid_hybrid": _sid_hybrid,
}


def create_representation(
    config: RepresentationConfig, dim: int, resources: SidTokenizer
) -> ItemRepresentation:
    """Makes a representation.

    Args:
        config: Its name, table budget and options.
        dim: Width of an item's vector (d).
        resources: The SID space, the tokenizer and the items of the train split.

    Raises:
        ValueError: The configuration and the resources do not fit, or a resource is missing.
    """
    create = REGISTRY[config.name]
    if config.separate_tables:
        roles = (CANDIDATE, CURRENT, HISTORY)
        return SeparateTables(lambda: create(config, dim, resources), roles)
    return create(config, dim, resources)


__all__ = [
    "REGISTRY",
    "ItemRepresentation",
    "ItemVectors",
    "create_representation",
]
