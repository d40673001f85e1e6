"""Inputs of a ranker's network."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors


def spread(values: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """Repeats each of n rows for the candidates of its user, which lie side by side.

    >>> spread(tf.constant([[1.0], [2.0]]), tf.constant(4))[:, 0].numpy()
    array([1., 1., 2., 2.], dtype=float32)

    Args:
        values: [n, ...].
        batch: int32 scalar, the number of candidates (B), a multiple of n.

    Returns:
        [B, ...].
    """
    shape = tf.shape(values)
    each = batch // tf.maximum(shape[0], 1)
    grouped = tf.broadcast_to(
        values[:, None], tf.concat([shape[:1], each[None], shape[1:]], axis=0)
    )
    return tf.reshape(grouped, tf.concat([batch[None], shape[1:]], axis=0))


class HistoryLabels(NamedTuple):
    """Labels of the history's impressions, of K tasks.

    Attributes:
        values: float32 [U, T, K], in standard deviations from the label's mean in the train split;
            0 where there is none.
        known: bool [U, T, K], where there is one.
    """

    values: tf.Tensor
    known: tf.Tensor


class RankerInputs(NamedTuple):
    """Item vectors by role, and the context.

    B is the number of candidates, d `RankerConfig.embedding_dim`. U, the leading axis of what
    belongs to the user, is B where every candidate has a user of its own (training, evaluation),
    and 1 where one user ranks B candidates (the signature `rank`). A network that works on the user
    before it turns to the candidates does that work once; one that does not care calls `broadcast`.
    One that has an attribute `takes_groups`, which is true, also gets `GroupedInputs`.

    Attributes:
        candidate: float32 [B, d]; zero where there is no item, as below.
        current: float32 [U, d].
        history: The history of T >= 0 entries, the most recent one first: `history.all()` is
            float32 [U, T, d], `history.present` is bool [U, T], which entries there are.
        history_labels: The labels of those entries, of every task in the order of the configuration
            where the history is of all impressions, and of none (K is 0) where it is of positives.
        shared_codes: float32 [B, T], the share of the codes that the Semantic IDs of the candidate
            and of each entry begin with alike; 0 where items are not seen by their Semantic IDs.
        context: By feature, in the order of the configuration, float32 [U, c] or [B, c]: the vector
            of a categorical column (c is `RankerConfig.context_dim`), a standardised number (c is
            1), the standardised numbers of a column of counters (see `feature_widths`).
    """

    candidate: tf.Tensor
    current: tf.Tensor
    history: ItemVectors
    history_labels: HistoryLabels
    shared_codes: tf.Tensor
    context: Mapping[str, tf.Tensor]

    @property
    def grouped(self) -> bool:
        """Whether they are `GroupedInputs`."""
        return False

    def broadcast(self) -> "RankerInputs":
        """The same with a leading axis of B everywhere.

        >>> one = RankerInputs(
        ...     candidate=tf.zeros([500, 8]),
        ...     current=tf.zeros([1, 8]),
        ...     history=ItemVectors(tf.zeros([3, 8]), tf.fill([3], True), tf.constant([[0, 2, 1]])),
        ...     history_labels=HistoryLabels(tf.zeros([1, 3, 1]), tf.fill([1, 3, 1], True)),
        ...     shared_codes=tf.zeros([500, 3]),
        ...     context={"context_hour": tf.zeros([1, 1])},
        ... )
        >>> inputs = one.broadcast()
        >>> inputs.current.shape, inputs.history.all().shape, inputs.history_labels.values.shape
        (TensorShape([500, 8]), TensorShape([500, 3, 8]), TensorShape([500, 3, 1]))
        """
        batch = tf.shape(self.candidate)[0]

        def rows(values: tf.Tensor) -> tf.Tensor:
            if self.grouped:
                return spread(values, batch)
            return tf.broadcast_to(values, tf.concat([[batch], tf.shape(values)[1:]], axis=0))

        return RankerInputs(
            candidate=self.candidate,
            current=rows(self.current),
            history=self.history._replace(index=rows(self.history.index)),
            history_labels=HistoryLabels(*map(rows, self.history_labels)),
            shared_codes=self.shared_codes,
            context={name: rows(values) for name, values in self.context.items()},
        )


class GroupedInputs(RankerInputs):
    """The same of U users with B / U candidates each, those of a user side by side.

    The signature `rank_many` gives them to a network that has a true attribute `takes_groups`, and
    broadcast to any other.
    """

    __slots__ = ()

    @property
    def grouped(self) -> bool:
        """Whether they are `GroupedInputs`."""
        return True
