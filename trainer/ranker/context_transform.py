"""The fitted Transform graph, as the ranker applies it."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from semantic_id_ranking.contracts.counters import CounterLayout
from semantic_id_ranking.contracts.counters import USER_COUNTERS
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN
from semantic_id_ranking.trainer.ranker.counter_features import feature_widths


class ContextTransform:
    """Turns raw context into the model's context features.

    The history length is counted from the history rather than read, so that training, evaluation
    and serving cannot differ in it.
    """

    def __init__(
        self,
        transform_output: tft.TFTransformOutput,
        categorical: Sequence[str],
        numeric: Sequence[str],
        item_age: bool = False,
        counters: Sequence[str] | None = None,
    ):
        """Loads the graph.

        Args:
            transform_output: What TFX Transform wrote with `preprocessing_fn`.
            categorical: The categorical context columns.
            numeric: The numeric context columns.
            item_age: Whether the candidate's age in days is one of the features.
            counters: The binary tasks that are counted; None: counters are no features.
        """
        self.layer = transform_output.transform_features_layer()
        """Holds the vocabularies; an exported model has to keep it as an attribute."""
        self._raw_spec = transform_output.raw_feature_spec()
        categories = [context_feature(column) for column in categorical]
        numbers = [context_feature(column) for column in numeric]
        if item_age:
            numbers.append(context_feature(ITEM_AGE_COLUMN))
        widths = {} if counters is None else feature_widths(CounterLayout(tuple(counters)))
        counted = {context_feature(column): width for column, width in widths.items()}
        self.parsing_spec = {
            name: self._raw_spec[name] for name in [*categories, *numbers, *counted]
        }
        """Parsing specification of the raw context, for `tf.io.parse_example`."""
        self.request_spec = {
            name: tf.TensorSpec([None], spec.dtype, name)
            for name, spec in self.parsing_spec.items()
            if name not in counted
        }
        for name in counted:
            spec = self.parsing_spec[name]
            rows = 1 if name == context_feature(USER_COUNTERS) else None
            self.request_spec[name] = tf.TensorSpec([rows, *spec.shape], spec.dtype, name)
        """The raw context of a request: [1] or [N], of N candidates; of counters [1, C] or [N, C],
        of the user's [1, C]."""
        self.categories = {
            name: np.array(transform_output.vocabulary_by_name(name), object) for name in categories
        }
        """The vocabulary of each categorical feature, bytes [n], by ID."""
        self.spec = ContextSpec(
            # One ID more than words: the out-of-vocabulary one.
            {name: len(vocabulary) + 1 for name, vocabulary in self.categories.items()},
            (*numbers, HISTORY_LENGTH),
            counted,
        )

    def __call__(
        self, raw: Mapping[str, tf.Tensor | tf.SparseTensor], history_present: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Applies the graph.

        Args:
            raw: The raw context: as parsed, or dense as `request_spec` says.
            history_present: bool [U, T], which history entries there are; U is B or 1.

        Returns:
            The features of `spec`: [B] each, counters [B, n]; of the user's, `history_length` and
            counters, U in place of B.
        """
        lengths = tf.reduce_sum(tf.cast(history_present, tf.float32), axis=1)
        inputs = {
            name: self._as_parsed(name, values)
            for name, values in (
                {name: raw[name] for name in self.parsing_spec} | {HISTORY_LENGTH: lengths}
            ).items()
        }
        return self.layer(inputs)

    def _as_parsed(
        self, name: str, values: tf.Tensor | tf.SparseTensor
    ) -> tf.Tensor | tf.SparseTensor:
        """Gives a tensor the form that the graph was made for."""
        if isinstance(values, tf.SparseTensor):
            return values
        spec = self._raw_spec[name]
        if isinstance(spec, tf.io.FixedLenFeature):
            return tf.reshape(values, [-1, *spec.shape])
        # Not tf.sparse.from_dense: it takes zeros for missing values.
        values = tf.reshape(values, [-1])
        rows = tf.range(tf.size(values, tf.int64))
        return tf.SparseTensor(
            tf.stack([rows, tf.zeros_like(rows)], axis=1),
            values,
            tf.stack([tf.size(values, tf.int64), 1]),
        )
