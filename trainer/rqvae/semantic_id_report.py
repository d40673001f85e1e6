"""Report on Semantic IDs: codebook use, uniqueness, reconstruction, prefixes."""

import dataclasses
import json
from typing import Any
from typing import Literal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.rqvae import analysis
from semantic_id_ranking.trainer.rqvae.outliers import Bounds
from semantic_id_ranking.trainer.rqvae.prefix_row import PrefixRow


class Sample(NamedTuple):
    """Items whose embeddings are looked at.

    Attributes:
        embeddings: float32 [n, D], the content embeddings.
        sids: int32 [n, L], their Semantic IDs.
        reconstructed: float32 [n, D], the content embeddings that the Semantic IDs stand for.
    """

    embeddings: NDArray[Any]
    sids: NDArray[Any]
    reconstructed: NDArray[Any]


@dataclasses.dataclass(frozen=True)
class SemanticIdReport:
    """The report on the Semantic IDs of some items.

    Attributes:
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).
        fingerprint: The SID space, 16 hexadecimal digits.
        items: Number of items.
        unique_fraction: Share of the items that share their Semantic ID with no other, 0 to 1.
        codebook_use: Share of each level's codes that at least one item has, L numbers from 0 to 1.
        idle_levels: Levels, from 0, that use less than a tenth of the codes that they could.
        perplexity: Of each level, how many codes in even use would be as diverse, L numbers from 1
            to K.
        reconstruction: Squared error of the reconstructed embeddings over their squared distance
            from the training mean, both summed over the items: 0 is exact, 1 is as bad as the mean.
        reconstruction_median: The same of medians in place of sums.
        outlying_items: Items far from all others, which both of them leave out.
        reconstruction_items: Whether both are of items that training had seen or not.
        prefixes: What items with a common prefix have in common, for each length of it, 1 to L.
    """

    levels: int
    codebook_size: int
    fingerprint: str
    items: int
    unique_fraction: float
    codebook_use: list[float]
    idle_levels: list[int]
    perplexity: list[float]
    reconstruction: float
    reconstruction_median: float
    outlying_items: int
    reconstruction_items: Literal["training", "unseen"]
    prefixes: list[PrefixRow]

    @classmethod
    def measure(
        cls, space: SidSpace, sids: NDArray[Any], train: Sample, unseen: Sample | None = None
    ) -> "SemanticIdReport":
        """Reports on Semantic IDs.

        Args:
            space: Their SID space.
            sids: int32 [N, L], those of all items.
            train: Items of the training period.
            unseen: Items that training had not seen, on which the reconstruction is then measured.
        """
        samples = [train] if unseen is None else [train, unseen]
        measured = samples[-1]
        # As in training, an item far from all others would decide mean and spread alone.
        bounds = Bounds.measure(train.embeddings)
        outlying = [bounds.outlying(sample.embeddings) for sample in samples]
        kept = ~outlying[-1]
        errors = (
            measured.embeddings[kept],
            measured.reconstructed[kept],
            train.embeddings[~outlying[0]].mean(axis=0),
        )
        use = analysis.codebook_use(sids, space.codebook_size)
        return cls(
            levels=space.levels,
            codebook_size=space.codebook_size,
            fingerprint=space.fingerprint,
            items=len(sids),
            unique_fraction=analysis.unique_fraction(sids),
            codebook_use=use,
            idle_levels=analysis.idle_levels(use, space.codebook_size, len(sids)),
            perplexity=analysis.perplexity(sids),
            reconstruction=analysis.relative_error(*errors),
            reconstruction_median=analysis.median_relative_error(*errors),
            outlying_items=sum(int(rows.sum()) for rows in outlying),
            reconstruction_items="training" if unseen is None else "unseen",
            prefixes=analysis.prefix_table(
                np.concatenate([sample.sids for sample in samples]),
                np.concatenate([sample.embeddings for sample in samples]),
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """The content of `report.json`, of JSON's types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "SemanticIdReport":
        """Reads what `to_json` gives."""
        fields = json.loads(text)
        prefixes = [PrefixRow(**row) for row in fields.pop("prefixes")]
        return cls(**fields, prefixes=prefixes)
