"""Precomputed rows and content of the items that training reads."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.seen_sids import SeenSids
from semantic_id_ranking.trainer.ranker.representations.subwords import NONE


class ItemParts(NamedTuple):
    """Components of the vectors of items that are not learnt.

    Attributes:
        rows: int32 [n, R], shared rows; all 0 for an absent item.
        content: float32 [n, m], as far as it counts; zero for an absent item.
        own: int64 [n], own rows; any where there is none.
        trust: float32 [n], how much the own rows count; 0 where there is none.
    """

    rows: tf.Tensor
    content: tf.Tensor
    own: tf.Tensor
    trust: tf.Tensor


PartsAt = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], ItemParts]


class TrainingItems:
    """The parts of the Semantic IDs seen in training, by their index.

    Each counts one impression less, but for those added later: in the one pass over their first
    impressions, a row is zero before it learns. They take 4 (R + m + 3) bytes a Semantic ID, are no
    weights, and are not saved: what is served works them out from the Semantic ID.
    """

    def __init__(self, seen: SeenSids, parts_at: PartsAt):
        """Creates them.

        Args:
            seen: The Semantic IDs.
            parts_at: Gives the parts of Semantic IDs int32 [n, L] that have own rows int64 [n],
                `NONE` for none, impressions float32 [n], and those that the row is trusted by.
        """
        self._seen = seen
        self._parts_at = parts_at

    def build(self) -> None:
        """Makes the variables, with one entry more, that of absent items."""
        with tf.init_scope():
            self.variables = [tf.Variable(part, trainable=False) for part in self._computed()]

    def update(self) -> None:
        """Computes the parts anew."""
        for variable, part in zip(self.variables, self._computed(), strict=True):
            variable.assign(part)

    def _computed(self) -> ItemParts:
        seen = self._seen
        sids = np.pad(seen.sids, [(0, 1), (0, 0)], constant_values=-1)
        rows = np.pad(seen.rows, (0, 1), constant_values=NONE)
        impressions = np.pad(np.maximum(seen.impressions - 1, 0), (0, 1))
        trusted = np.pad(np.where(seen.added, seen.trusted, seen.trusted - 1), (0, 1))
        constants = (tf.constant(one) for one in (sids, rows, impressions, trusted))
        return self._parts_at(*constants)

    def find(self, sid: tf.Tensor, keys: tf.Tensor) -> ItemParts:
        """The parts of Semantic IDs, seen in training or not.

        Args:
            sid: int32 [n, L], -1 where there is no item.
            keys: int64 [n], their `sid_keys`.

        Returns:
            The parts; those of a Semantic ID that training did not see are computed, with no
            impressions and no own row.
        """
        index = self._seen.find(keys)
        others = tf.where((index < 0) & (sid[:, 0] >= 0))
        index = tf.where(index >= 0, index, len(self._seen.sids))
        found = [tf.gather(part, index) for part in self.variables]

        def with_others() -> list[tf.Tensor]:
            none = tf.fill(tf.shape(others)[:1], tf.constant(NONE, tf.int64))
            zeros = tf.zeros(tf.shape(others)[:1])
            parts = self._parts_at(tf.gather_nd(sid, others), none, zeros, zeros)
            return [
                tf.tensor_scatter_nd_update(values, others, part)
                for values, part in zip(found, parts, strict=True)
            ]

        return ItemParts(*tf.cond(tf.size(others) > 0, with_others, lambda: found))
