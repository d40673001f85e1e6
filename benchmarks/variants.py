"""The representations that are compared, and their table budgets."""

import dataclasses

from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig

# Options of representations that are compared in more than one form; all others take the defaults.
_FORMS: dict[str, tuple[str, tuple[float, ...]]] = {
    "dense_projected": ("factor", (1.5, 2.0)),
    "sid_ngram": ("n", (1, 2)),
}


@dataclasses.dataclass(frozen=True)
class Variant:
    """A representation with its options.

    Attributes:
        label: Its name, with the option that tells it from others of that name: `sid_ngram(2)`.
        name: Its name in the registry.
        options: Fields of its configuration.
    """

    label: str
    name: str
    options: tuple[tuple[str, float], ...] = ()

    def config(self, rows: int) -> RepresentationConfig:
        """The configuration with a table budget."""
        return REGISTRY[self.name](rows=rows, **dict(self.options))


def all_variants() -> list[Variant]:
    """Every representation of the registry."""
    variants = []
    for name in REGISTRY:
        if name in _FORMS:
            option, values = _FORMS[name]
            variants += [
                Variant(f"{name}({value:g})", name, ((option, value),)) for value in values
            ]
        else:
            variants.append(Variant(name, name))
    return variants


def table_budgets(codes: int, items: int) -> list[int]:
    """Table rows to compare at: a quarter, one and four times the unigram's, and the items.

    Args:
        codes: The unigram's rows, levels x codebook_size (C).
        items: Number of items.

    Returns:
        Ascending, without repetitions. Once the unigram's is C + 1: SentencePiece needs a row for
        what it does not know beside one for every code.
    """
    return sorted({max(codes // 4, 1), codes + 1, 4 * codes, items})
