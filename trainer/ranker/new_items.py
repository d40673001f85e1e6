"""Items that a training sees for the first time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.features import CANDIDATE
from semantic_id_ranking.trainer.ranker.features import item_parsing_spec
from semantic_id_ranking.trainer.ranker.features import read_examples
from semantic_id_ranking.trainer.ranker.representations.item_keys import item_id_keys
from semantic_id_ranking.trainer.ranker.representations.item_keys import sid_keys
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems

_BATCH = 4096


def new_items(
    patterns: Sequence[str], space: SidSpace, known: Sequence[ImpressedItems]
) -> ImpressedItems | None:
    """Finds the candidates whose item ID or whose Semantic ID is not known.

    Args:
        patterns: File patterns of joined examples.
        space: The SID space.
        known: The items that are known.

    Returns:
        The items with their impressions in the examples, those with most first, and of equally
        many by ID; None if there are none. Candidates without a Semantic ID are left out.
    """
    spec = {
        name: feature
        for name, feature in item_parsing_spec(("item_id", "sid"), space).items()
        if name.startswith(CANDIDATE)
    }
    counts: dict[tuple[bytes, bytes], int] = {}
    for batch in read_examples(patterns, spec, _BATCH).as_numpy_iterator():
        sids = batch[f"{CANDIDATE}_sid"].astype(np.int32)
        present = ((sids >= 0) & (sids < space.codebook_size)).all(axis=1)
        ids = batch[f"{CANDIDATE}_item_id"]
        for item_id, sid in zip(ids[present], sids[present], strict=True):
            key = (item_id, sid.tobytes())
            counts[key] = counts.get(key, 0) + 1
    if not counts:
        return None
    ordered = sorted(counts, key=lambda pair: (-counts[pair], pair))
    item_ids = np.array([item_id for item_id, _ in ordered], np.bytes_)
    sids = np.stack([np.frombuffer(sid, np.int32) for _, sid in ordered])
    impressions = np.array([counts[pair] for pair in ordered], np.int64)
    # Fingerprints, by which representations know items, take less memory than sets of millions.
    known_ids = [_id_keys(one.item_ids) for one in known if one.item_ids is not None]
    known_sids = [_sid_keys(one.sids) for one in known]
    new = ~_among(_id_keys(item_ids), known_ids) | ~_among(_sid_keys(sids), known_sids)
    if not new.any():
        return None
    return ImpressedItems(item_ids[new], sids[new], impressions[new])


def _id_keys(item_ids: NDArray[Any]) -> NDArray[np.int64]:
    return item_id_keys(tf.constant(item_ids)).numpy()


def _sid_keys(sids: NDArray[Any]) -> NDArray[np.int64]:
    return sid_keys(tf.constant(sids)).numpy()


def _among(keys: NDArray[np.int64], known: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Which keys are known, bool [n]."""
    return np.isin(keys, np.concatenate([np.zeros(0, np.int64), *known]))
