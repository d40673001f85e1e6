"""How a budget of table rows is spent; needs no TensorFlow."""

from collections.abc import Sequence

from semantic_id_ranking.trainer.ranker.config import RepresentationConfig

# Frequency rows of sid_hybrid, at most; the last of 24 is for 8 million impressions and more.
_FREQUENCY_ROWS = 24
# One row of so many is a frequency row in a small table.
_FREQUENCY_SHARE = 10
_UNKNOWN_PIECE = 1
# Levels whose codes have rows in sid_hybrid, at most: finer codes cost more than they tell.
_CODE_LEVELS = 4
# The row of sid_hybrid for absent items.
_ABSENT = 1


def split_rows(budget: int, capacities: Sequence[int]) -> list[int]:
    """Gives every group the same number of rows, but none more than it can use.

    What a group leaves goes to the others, in equal parts.

    Args:
        budget: Rows to give, at least one a group.
        capacities: Rows that each group can use.

    Returns:
        Rows of each group.

    Raises:
        ValueError: There are fewer rows than groups.
    """
    if budget < len(capacities):
        raise ValueError(f"{budget} rows cannot be shared by {len(capacities)} tables")
    rows = [0] * len(capacities)
    smallest_first = sorted(range(len(capacities)), key=capacities.__getitem__)
    for groups_left, group in zip(range(len(capacities), 0, -1), smallest_first, strict=True):
        rows[group] = min(capacities[group], budget // groups_left)
        budget -= rows[group]
    return rows


def ngram_rows(n: int, rows: int, levels: int, codebook_size: int) -> list[int]:
    """Rows of each group of N codes; the last group is shorter where N does not divide the levels.

    Args:
        n: Codes in a group (N).
        rows: Rows of all groups together, at most.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).

    Raises:
        ValueError: There are more groups than rows, or N is larger than L.
    """
    if n > levels:
        raise ValueError(f"n = {n} codes cannot be taken from {levels} levels")
    lengths = [min(n, levels - first) for first in range(0, levels, n)]
    return split_rows(rows, [codebook_size**length for length in lengths])


def prefix_rows(depths: range, rows: int, levels: int, codebook_size: int) -> list[int]:
    """Rows of each depth of hashed prefixes.

    Args:
        depths: Codes of the prefixes.
        rows: Rows of all depths together, at most.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).

    Raises:
        ValueError: There are more depths than rows, or they are not those of a Semantic ID.
    """
    if not depths or depths[-1] > levels:
        raise ValueError(
            f"prefixes of {depths.start} to {depths.stop - 1} codes cannot be taken from {levels} "
            f"levels"
        )
    return split_rows(rows, [codebook_size**depth for depth in depths])


def code_rows(config: RepresentationConfig, levels: int, codebook_size: int) -> int:
    """Rows of the codes beside item IDs; never more than there are codes.

    Args:
        config: Of `id_plus_sid`.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).
    """
    asked = config.rows - round(config.memory_share * config.rows)
    return min(asked, levels * codebook_size)


def hybrid_rows(
    config: RepresentationConfig, levels: int, codebook_size: int
) -> tuple[int, int, int]:
    """Rows of sid_hybrid for the codes, for frequencies, and for single items; codes come first.

    One row more is that of absent items.

    Only the coarsest four levels have rows, or as many as the rows suffice for: fine codes that
    share rows say less than none. The first level always has some.

    Args:
        config: Of `sid_hybrid`.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).

    Raises:
        ValueError: The rows do not suffice.
    """
    frequencies = min(max(config.rows // _FREQUENCY_SHARE, 1), _FREQUENCY_ROWS)
    left = config.rows - frequencies - _ABSENT
    # Of no level all: then the first level's codes share what is left.
    codes = min(left // codebook_size, levels, _CODE_LEVELS) * codebook_size or left
    if codes < 1:
        raise ValueError(
            f"{config.rows} rows cannot be shared by a code, a frequency and absent items; "
            "sid_hybrid needs 3 or more"
        )
    return codes, frequencies, left - codes


def tokenizer_rows(config: RepresentationConfig, levels: int, codebook_size: int) -> int:
    """Pieces that the SID tokenizer may have.

    Args:
        config: The representation; one that reads no pieces gets a tokenizer all the same.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).
    """
    codes = levels * codebook_size
    if config.name == "sid_spm":
        return config.rows
    return max(config.rows, codes + _UNKNOWN_PIECE)


def baseline_rows(config: RepresentationConfig, levels: int, codebook_size: int) -> int:
    """Rows of a hashed table that is as large as a representation's.

    Args:
        config: The representation. One whose size no configuration sets is taken at `rows`.
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).

    Raises:
        ValueError: The representation refuses its configuration.
    """
    if config.name == "sid_ngram":
        return sum(ngram_rows(config.n, config.rows, levels, codebook_size))
    if config.name == "sid_prefix":
        depths = range(1, (config.depth or levels) + 1)
        return sum(prefix_rows(depths, config.rows, levels, codebook_size))
    if config.name == "id_plus_sid":
        ngram_rows(1, code_rows(config, levels, codebook_size), levels, codebook_size)
    if config.name == "sid_hybrid":
        hybrid_rows(config, levels, codebook_size)
    return config.rows
