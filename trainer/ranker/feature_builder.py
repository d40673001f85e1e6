"""Features of the ranker from examples and requests."""

from collections.abc import Mapping

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.features import Features
from semantic_id_ranking.trainer.ranker.features import HISTORY
from semantic_id_ranking.trainer.ranker.features import item_features
from semantic_id_ranking.trainer.ranker.features import item_parsing_spec
from semantic_id_ranking.trainer.ranker.features import item_tensor_specs
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)


class FeatureBuilder:
    """The features of the ranker, alike in training, in evaluation and in both kinds of serving."""

    def __init__(
        self, representation: ItemRepresentation, context: ContextTransform, history_length: int
    ):
        """Creates the builder.

        Args:
            representation: Says which fields of an item are read.
            context: The fitted Transform graph.
            history_length: History entries to use, at most (H): the most recent ones.
        """
        self._representation = representation
        self._context = context
        self._history_length = history_length
        self.transform_layer = context.layer
        """Holds the vocabularies; an exported model has to keep it as an attribute."""
        self.parsing_spec = {
            **item_parsing_spec(representation.fields, representation.space),
            **context.parsing_spec,
        }
        """Parsing specification of joined examples, for `tf.io.parse_example`."""
        self.request_spec = {
            **item_tensor_specs(representation.fields, representation.space),
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
        for field in fields:
            name = f"{HISTORY}_{field}"
            features[name] = features[name][:, : self._history_length]
        present = self._representation.present(item_features(features, HISTORY, fields))
        return {**features, **self._context(raw, present)}
