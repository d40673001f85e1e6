"""The representation that combines codes, content and impression counts of Semantic IDs."""

import contextlib
import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations.item_keys import sid_keys
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)
from semantic_id_ranking.trainer.ranker.representations.ngram_subwords import NgramSubwords
from semantic_id_ranking.trainer.ranker.representations.row_sum import read_rows
from semantic_id_ranking.trainer.ranker.representations.row_sum import sum_gathered
from semantic_id_ranking.trainer.ranker.representations.row_sum import sum_of_all
from semantic_id_ranking.trainer.ranker.representations.seen_sids import SeenSids
from semantic_id_ranking.trainer.ranker.representations.sid_content import SidContent
from semantic_id_ranking.trainer.ranker.representations.subwords import NONE
from semantic_id_ranking.trainer.ranker.representations.training_items import ItemParts
from semantic_id_ranking.trainer.ranker.representations.training_items import TrainingItems
from semantic_id_ranking.trainer.ranker.row_section import RowSection

# The weights of the content's map start so many times as large as Keras's default. Larger ones are
# noise that rows of items have to learn to take off; from zero, the map learns too slowly.
_MAP_START = 0.3
# Reduction of the weight of the rows of codes, and of frequencies, where every impression is of an
# item with a row of its own.
_CODES_REDUCTION = 0.7
_FREQUENCIES_REDUCTION = 0.5
# Vectors that are computed at once when they are folded.
_FOLDED_AT_ONCE = 1 << 16


class SidHybridRepresentation(ItemRepresentation):
    """The codes of an item, its content, its impression count, and a row of its own.

    An item's vector is the sum of

    - a row for each code of its first four levels, or of fewer where there are few rows, shared
      with all items that have the code there: it generalises;
    - a linear map of its Semantic ID's vector in the RQ-VAE's latent space, times
      fade / (n + fade), n being its training impressions: it generalises to similar items, where
      the codes have too few impressions;
    - a row for n, shared with all items of about as many: an item without impressions has one too;
    - where its Semantic ID is among those with most impressions, a row of its own, times
      n / (n + tau): it memorises, and is trusted as far as it was trained.

    The optimizers of tables move every row about as far, however small its gradient, so that the
    several shared rows of an item would outrun its own one. They count less, the more of the
    training impressions are of items that have one: in a small table, where hardly an item has,
    the shared rows are nearly all there is and count nearly in full.

    In training an item counts one impression less, the one that it is trained on. Otherwise an own
    row would be trusted for the very label that it learns, and no item would ever count as unseen:
    the frequency rows and the map learn about new items from those with one impression.
    """

    def __init__(
        self,
        codes: NgramSubwords,
        content: SidContent,
        frequencies: int,
        seen: SeenSids,
        dim: int,
        space: SidSpace,
        tau: float,
        fade: float,
    ):
        """Creates the layer.

        Args:
            codes: The rows of the codes.
            content: The content vectors of Semantic IDs.
            frequencies: Number of rows for impression counts: one for 0 impressions, then for 1,
                3, 7, 15, ... and more.
            seen: The Semantic IDs seen in training, and the rows of the most frequent ones.
            dim: Width of an item's vector (d).
            space: The SID space.
            tau: Impressions at which an item's own row counts half.
            fade: Impressions at which its content counts half.
        """
        # The first shared row is that of absent items, and weighs nothing.
        rows = 1 + codes.table_rows + frequencies + seen.table_rows
        super().__init__(("sid",), dim, space, rows)
        self._codes = codes
        self._content = content
        self._frequencies = 2.0 ** np.arange(frequencies, dtype=np.float32) - 1
        self._seen = seen
        self._tau = tau
        self._fade = fade
        self._weights = np.concatenate(
            [
                np.zeros(1),
                np.full(codes.table_rows, 1 - _CODES_REDUCTION * seen.covered),
                np.full(frequencies, 1 - _FREQUENCIES_REDUCTION * seen.covered),
            ]
        ).astype(np.float32)
        # In training, every item counts one impression less.
        self._training_items = TrainingItems(seen, self._parts_at)
        self._served: _Served | None = None
        # No bias, so that an absent item stays zero.
        small = tf.keras.initializers.VarianceScaling(_MAP_START**2, "fan_avg", "uniform")
        self._map = tf.keras.layers.Dense(
            dim, use_bias=False, kernel_initializer=small, name="content_map", dtype="float32"
        )

    def build(self, input_shape: object) -> None:
        """Makes the tables and what is known of the items."""
        self._shared = self.add_table(len(self._weights))
        if self._seen.table_rows:
            self._own = self.add_table(self._seen.table_rows, zeros=self._seen.table_rows)
        self._content.build(self)
        self._seen.build(self)
        self._training_items.build()
        super().build(input_shape)

    @property
    def derived_variables(self) -> list[tf.Variable]:
        """See the base class."""
        return self._training_items.variables

    @property
    def frozen_variables(self) -> list[tf.Variable]:
        """The codes' content vectors: the sign of their directions is the machine's choice."""
        return [self._content.weight]

    def update_derived(self) -> None:
        """See the base class."""
        self._training_items.update()

    @contextlib.contextmanager
    def folded(self) -> Iterator[None]:
        """See the base class."""
        sids = np.zeros([self._seen.table_rows, self.space.levels], np.int32)
        owned = self._seen.rows != NONE
        sids[self._seen.rows[owned]] = self._seen.sids[owned]
        vectors = [np.zeros([0, self.dim], np.float32)]
        for first in range(0, len(sids), _FOLDED_AT_ONCE):
            some = tf.constant(sids[first : first + _FOLDED_AT_ONCE])
            vectors.append(self.vectors({"sid": some, "sid_key": sid_keys(some)}, False).numpy())
        self._served = _Served(
            shared=tf.Variable(self._shared * self._weights[:, None], trainable=False),
            own=tf.Variable(np.concatenate(vectors), trainable=False),
        )
        try:
            yield
        finally:
            self._served = None

    def row_keys(self) -> list[list[RowSection]]:
        """See the base class; the own rows' keys are those of `sid_keys`."""
        shared = [
            RowSection("absent", range(1)),
            *self._codes.row_keys(),
            RowSection("frequency", range(len(self._frequencies))),
        ]
        own = [[RowSection("semantic_id", self._seen.row_keys)]] if self._seen.table_rows else []
        return [shared, *own]

    def vectors(self, items: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        """See the base class."""
        sid, key = items["sid"], items["sid_key"]
        if self._served is not None and not training:
            return self._served_vectors(sid, key, self._served)
        parts = self._training_items.find(sid, key) if training else self._parts(sid, key)
        # An absent item has row 0 and no content.
        vectors = sum_of_all(self._shared * self._weights[:, None], parts.rows)
        vectors += self._map(parts.content)
        if not self._seen.table_rows:
            return vectors
        own = read_rows(self._own, parts.own, self.is_small(self._own))
        return vectors + own * parts.trust[:, None]

    def lookups(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See the base class."""
        items, item_index = self.distinct(features)
        index = self._seen.find(items["sid_key"])
        rows = self._shared_rows(items["sid"], self._seen.impressions_at(index))
        found = tf.concat([rows > 0, self._seen.rows_at(index)[:, None] >= 0], axis=1)
        return tf.gather(tf.math.count_nonzero(found, axis=1, dtype=tf.int32), item_index)

    def _parts(self, sid: tf.Tensor, key: tf.Tensor) -> ItemParts:
        """The components of vectors, from Semantic IDs int32 [n, L] and their keys int64 [n]."""
        index = self._seen.find(key)
        seen = self._seen
        return self._parts_at(
            sid, seen.rows_at(index), seen.impressions_at(index), seen.trusted_at(index)
        )

    def _served_vectors(self, sid: tf.Tensor, key: tf.Tensor, served: "_Served") -> tf.Tensor:
        """The vectors in few operations: of Semantic IDs with own rows, those that are folded."""
        index = self._seen.find(key)
        own = self._seen.rows_at(index)
        others = tf.where(own < 0)
        sid, index = tf.gather_nd(sid, others), tf.gather_nd(index, others)
        impressions = self._seen.impressions_at(index)
        vectors = sum_gathered(served.shared, self._shared_rows(sid, impressions))
        vectors += self._map(self._content_of(sid, impressions, sum_gathered))
        if not self._seen.table_rows:
            return vectors
        known = tf.gather(served.own, tf.maximum(own, 0))
        return tf.tensor_scatter_nd_update(known, others, vectors)

    def _parts_at(
        self, sid: tf.Tensor, own: tf.Tensor, impressions: tf.Tensor, trusted: tf.Tensor
    ) -> ItemParts:
        """The same, where own rows int64 [n] and both impressions float32 [n] are known."""
        return ItemParts(
            rows=self._shared_rows(sid, impressions),
            content=self._content_of(sid, impressions, sum_of_all),
            # Those without an own row look another's up and do not trust it, which is faster than
            # to sort them out.
            own=tf.maximum(own, 0),
            trust=tf.where(own >= 0, trusted / (trusted + self._tau), 0.0),
        )

    def _content_of(
        self,
        sid: tf.Tensor,
        impressions: tf.Tensor,
        sum_rows: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    ) -> tf.Tensor:
        """Content vectors, as far as they count, float32 [n, m]; zero for an absent item."""
        fading = tf.where(sid[:, 0] >= 0, self._fade / (impressions + self._fade), 0.0)
        return self._content.find(sid, sum_rows) * fading[:, None]

    def _shared_rows(self, sid: tf.Tensor, impressions: tf.Tensor) -> tf.Tensor:
        """Rows of codes, then of frequencies, int32 [n, R]; 0 for an absent item."""
        codes = self._codes({"sid": sid})
        frequency = tf.searchsorted(self._frequencies, impressions, "right", tf.int64) - 1
        frequency = tf.where(codes[:, 0] >= 0, self._codes.table_rows + frequency, NONE)
        return tf.cast(tf.concat([codes, frequency[:, None]], axis=1) + 1, tf.int32)


# A tuple in an attribute of a layer would make its variables weights of the layer.
@dataclasses.dataclass(frozen=True)
class _Served:
    """What is the same in every request.

    Attributes:
        shared: float32 [V, d], the shared rows, each times its weight.
        own: float32 [W, d], the vectors of the Semantic IDs with own rows, by row.
    """

    shared: tf.Variable
    own: tf.Variable
