"""Report on Semantic IDs: codebook use, uniqueness, reconstruction, prefixes."""

from typing import Any
from typing import NamedTuple

import numpy as np

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.rqvae import analysis
from semantic_id_ranking.trainer.rqvae.outliers import Bounds


class Sample(NamedTuple):
    """Items whose embeddings are looked at.

    Attributes:
        embeddings: float32 [n, D], the content embeddings.
        sids: int32 [n, L], their Semantic IDs.
        reconstructed: float32 [n, D], the content embeddings that the Semantic IDs stand for.
    """

    embeddings: np.ndarray
    sids: np.ndarray
    reconstructed: np.ndarray


def sid_report(
    space: SidSpace, sids: np.ndarray, train: Sample, unseen: Sample | None = None
) -> dict[str, Any]:
    """Reports on Semantic IDs.

    Args:
        space: Their SID space.
        sids: int32 [N, L], those of all items.
        train: Items of the training period.
        unseen: Items that training had not seen, on which the reconstruction is then measured.

    Returns:
        `levels`, `codebook_size`, `fingerprint`, `items` (N); `unique_fraction`, the share of items
        that share their Semantic ID with no other; `codebook_use`, the share of each level's codes
        in use; `idle_levels`, which use less than a tenth; `perplexity` of each level;
        `reconstruction`, the squared error over the squared distance from the training mean, and
        `reconstruction_median`, the same of medians; `outlying_items`, which are left out of both;
        `reconstruction_items`, "training" or "unseen"; and `prefixes`, see `prefix_table`.
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
    return {
        "levels": space.levels,
        "codebook_size": space.codebook_size,
        "fingerprint": space.fingerprint,
        "items": len(sids),
        "unique_fraction": analysis.unique_fraction(sids),
        "codebook_use": use,
        "idle_levels": analysis.idle_levels(use, space.codebook_size, len(sids)),
        "perplexity": analysis.perplexity(sids),
        "reconstruction": analysis.relative_error(*errors),
        "reconstruction_median": analysis.median_relative_error(*errors),
        "outlying_items": sum(int(rows.sum()) for rows in outlying),
        "reconstruction_items": "training" if unseen is None else "unseen",
        "prefixes": analysis.prefix_table(
            np.concatenate([sample.sids for sample in samples]),
            np.concatenate([sample.embeddings for sample in samples]),
        ),
    }
