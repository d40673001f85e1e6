"""Prefixes of Semantic IDs as subwords."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from trainer.ranker.representations.item_keys import sequence_keys
from trainer.ranker.representations.key_rows import VocabularyRows
from trainer.ranker.representations.ngram_subwords import code_sequence_rows
from trainer.ranker.representations.sid_resources import SidResources
from trainer.ranker.representations.subwords import NONE
from trainer.ranker.representations.subwords import Subwords
from trainer.ranker.table_budget import prefix_rows
from trainer.sid_space import SidSpace


class HashedPrefixes(Subwords):
    """The first code, the first two, and so on; each depth has rows of its own, hashed if need be.

    Reference: prefix n-gram (arXiv 2504.02137).
    """

    def __init__(self, depths: range, rows: int, space: SidSpace):
        """Creates the layer.

        Args:
            depths: Codes of the prefixes.
            rows: Rows of all depths together, at most.
            space: The SID space.

        Raises:
            ValueError: The depths are not those of a Semantic ID, or there are more of them than
                rows.
        """
        depth_rows = prefix_rows(depths, rows, space.levels, space.codebook_size)
        super().__init__(("sid",), sum(depth_rows), "prefixes")
        self._depths = depths
        self._depth_rows = depth_rows
        self._codebook_size = space.codebook_size

    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the base class; R is the number of depths."""
        sid = items["sid"]
        columns, offset = [], 0
        for depth, rows in zip(self._depths, self._depth_rows, strict=True):
            row = code_sequence_rows(sid[:, :depth], rows, self._codebook_size)
            columns.append(row + offset)
            offset += rows
        return tf.where(sid[:, :1] >= 0, tf.stack(columns, axis=1), NONE)


class FrequentPrefixes(Subwords):
    """The prefixes that were shown most in training, of all depths; the others have no row.

    Nor has a prefix that was shown as often as the one a code shorter: both stand for the same
    impressions.
    """

    def __init__(self, depths: range, rows: int, resources: SidResources):
        """Creates the layer.

        Args:
            depths: Codes of the prefixes.
            rows: Prefixes to keep, at most.
            resources: The SID space and the items of the train split.

        Raises:
            ValueError: The depths are not those of a Semantic ID, or the items are missing.
        """
        space = resources.space
        prefix_rows(depths, len(depths), space.levels, space.codebook_size)
        items = resources.require_items()
        keys = _prefix_keys(tf.constant(items.sids), depths).numpy()
        counts = np.repeat(items.impressions[:, None], len(depths), axis=1)
        _, index = np.unique(keys, return_inverse=True)
        index = index.reshape(keys.shape)
        shown = np.bincount(index.ravel(), weights=counts.ravel())[index]
        own = np.pad(shown[:, 1:] < shown[:, :-1], ((0, 0), (1, 0)), constant_values=True)
        vocabulary = VocabularyRows(keys[own], counts[own], rows)
        super().__init__(("sid",), vocabulary.table_rows, "prefixes")
        self._depths = depths
        self._vocabulary = vocabulary
        self.known_impressions = vocabulary.counts

    def build(self, input_shape: object) -> None:
        """Makes the vocabulary's weight."""
        self._vocabulary.build(self)
        super().build(input_shape)

    def call(self, items: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """See the base class; R is the number of depths."""
        sid = items["sid"]
        rows = self._vocabulary.find(_prefix_keys(sid, self._depths))
        return tf.where(sid[:, :1] >= 0, rows, NONE)


def _prefix_keys(sid: tf.Tensor, depths: range) -> tf.Tensor:
    """int64 [n, depths]: a key for each prefix of Semantic IDs int32 [n, L]."""
    return sequence_keys(sid)[:, depths.start - 1 : depths.stop - 1]
