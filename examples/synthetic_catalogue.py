"""A small catalogue with impressions, for the examples to run on."""

from typing import NamedTuple

import numpy as np

ITEMS = 2000
#: The items before this one are in training; the others are new.
FIRST_NEW = 1600
_KINDS = 20
_DIM = 16
_HISTORY = 5


class Impressions(NamedTuple):
    """Impressions, each with items that the user liked before.

    Attributes:
        candidate: Integers [n], the item of the impression.
        history: Integers [n, 5], items of one kind.
        label: float32 [n], 1 where the user liked the candidate.
    """

    candidate: np.ndarray
    history: np.ndarray
    label: np.ndarray


def embeddings() -> np.ndarray:
    """Content embeddings float32 [2000, 16]: items of the same kind lie together."""
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(_KINDS, _DIM))
    noise = 0.3 * rng.normal(size=(ITEMS, _DIM))
    return (kinds[np.arange(ITEMS) % _KINDS] + noise).astype(np.float32)


def impressions(candidates: range, count: int, seed: int) -> Impressions:
    """Draws impressions: nine in ten of the history's kind are liked, one in ten of the others.

    Args:
        candidates: The items of the impressions; half of them are of the history's kind.
        count: Impressions (n).
        seed: Seed of the draw.
    """
    rng = np.random.default_rng(seed)
    taste = rng.integers(0, _KINDS, count)
    known = rng.integers(0, FIRST_NEW // _KINDS, (count, _HISTORY))
    candidate = rng.integers(candidates.start, candidates.stop, count)
    alike = rng.random(count) < 0.5
    candidate = np.where(alike, candidate // _KINDS * _KINDS + taste, candidate)
    share = np.where(candidate % _KINDS == taste, 0.9, 0.1)
    label = (rng.random(count) < share).astype(np.float32)
    return Impressions(candidate, known * _KINDS + taste[:, None], label)
