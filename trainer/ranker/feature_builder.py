"""Features of the ranker from examples and requests."""

from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.features import Features
from semantic_id_ranking.trainer.ranker.features import HISTORY
from semantic_id_ranking.trainer.ranker.features import history_label_parsing_spec
from semantic_id_ranking.trainer.ranker.features import history_label_tensor_specs
from semantic_id_ranking.trainer.ranker.features import item_features
from semantic_id_ranking.trainer.ranker.features import item_parsing_spec
from semantic_id_ranking.trainer.ranker.features import item_tensor_specs
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)


class FeatureBuilder:
    """The features of the ranker, alike in training, in evaluation and in both kinds of serving."""

    def __init__(
        self,
        representation: ItemRepresentation,
        context: ContextTransform,
        history_length: int,
        history_labels: Sequence[str] = (),
    ):
        """Creates the builder.

        Args:
            representation: Says which fields of an item are read.
            context: The fitted Transform graph.
            history_length: History entries to use, at most (H): the most recent ones.
            history_labels: The tasks whose labels of the history's impressions are features; none
                where the history is of positives alone.
        """
        self._representation = representation
        self._context = context
        self._history_length = history_length
        labels = history_label_parsing_spec(history_labels)
        self._of_history = [*(f"{HISTORY}_{field}" for field in representation.fields), *labels]
        self.transform_layer = context.layer
        """Holds the vocabularies; an exported model has to keep it as an attribute."""
        self.parsing_spec = {
            **item_parsing_spec(representation.fields, representation.space),
            **labels,
            **context.parsing_spec,
        }
        """Parsing specification of joined examples, for `tf.io.parse_example`."""
        self.request_spec = {
            **item_tensor_specs(representation.fields, representation.space),
            **history_label_tensor_specs(history_labels),
            **context.request_spec,
        }
        """The tensors of a request for one user and N candidates; context is that of the graph."""

    def __call__(self, raw: Mapping[str, tf.Tensor | tf.SparseTensor]) -> Features:
        """Builds the features.

        Args:
            raw: Tensors of `parsing_spec` or of `request_spec`; others are left out.

        Returns:
            The features that `Ranker` takes.
        """
        fields = self._representation.fields
        features = {
            name: raw[name] for name in item_parsing_spec(fields, self._representation.space)
        }
        features |= {name: raw[name][:, : self._history_length] for name in self._of_history}
        present = self._representation.present(item_features(features, HISTORY, fields))
        return {**features, **self._context(raw, present)}
