"""Which rows of a table generalise and which memorise."""

from trainer.ranker.config import RepresentationConfig
from trainer.ranker.representations.item_id_subwords import item_id_vocabulary
from trainer.ranker.representations.item_id_subwords import ItemIdSubwords
from trainer.ranker.representations.key_rows import HashedRows
from trainer.ranker.representations.ngram_subwords import NgramSubwords
from trainer.ranker.representations.piece_subwords import PieceSubwords
from trainer.ranker.representations.prefix_subwords import FrequentPrefixes
from trainer.ranker.representations.prefix_subwords import HashedPrefixes
from trainer.ranker.representations.sid_resources import SidResources
from trainer.ranker.representations.subwords import Subwords
from trainer.ranker.table_budget import code_rows
from trainer.ranker.table_budget import split_rows


def hybrid_subwords(
    config: RepresentationConfig, resources: SidResources
) -> tuple[list[Subwords], list[Subwords]]:
    """The two parts of `sid_hybrid`.

    Args:
        config: Of `sid_hybrid`.
        resources: The SID space, and what `config.memory` needs: the tokenizer, the items.

    Returns:
        Subwords of the general and of the memorising part.

    Raises:
        ValueError: The rows do not suffice, or a resource is missing.
    """
    space = resources.space
    pieces = [
        PieceSubwords(resources, config.sampling, multi_code_only=True)
        for kind in config.memory
        if kind == "spm"
    ]
    codes = NgramSubwords(1, code_rows(config, space.levels, space.codebook_size), space)
    kinds = [kind for kind in config.memory if kind != "spm"]
    rows = config.rows - codes.table_rows - sum(cut.table_rows for cut in pieces)
    if not kinds:
        return [codes], pieces
    memory = []
    for kind, share in zip(kinds, split_rows(rows, [rows] * len(kinds)), strict=True):
        memory.append(
            _prefixes(config, share, resources)
            if kind == "prefix"
            else _item_ids(config, share, resources)
        )
    return [codes], [*pieces, *memory]


def _prefixes(config: RepresentationConfig, rows: int, resources: SidResources) -> Subwords:
    # A prefix of one code is a code, which the general part has.
    depths = range(2, (config.depth or resources.space.levels) + 1)
    if config.memory_keys == "frequent":
        return FrequentPrefixes(depths, rows, resources)
    return HashedPrefixes(depths, rows, resources.space)


def _item_ids(config: RepresentationConfig, rows: int, resources: SidResources) -> Subwords:
    if config.memory_keys == "frequent":
        return ItemIdSubwords(item_id_vocabulary(resources, rows))
    return ItemIdSubwords(HashedRows(rows))
