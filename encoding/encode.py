"""The `encode` signature of a semantic_id SavedModel, as a function of arrays."""

import numpy as np
import tensorflow as tf


class Encoder:
    """The `encode` signature of a SavedModel, as a function of arrays.

    Args:
        model_path: Directory of the SavedModel.
    """

    def __init__(self, model_path: str):
        # A signature does not keep its model's variables alive.
        self._model = tf.saved_model.load(model_path)
        self._encode = self._model.signatures["encode"]

    def __call__(self, embeddings: np.ndarray) -> np.ndarray:
        """Semantic IDs int32 [n, L] of content embeddings float32 [n, D]."""
        return self._encode(embedding=tf.constant(embeddings))["sid"].numpy()
