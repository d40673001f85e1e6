"""One version of a model, loaded."""

import os

import tensorflow as tf

# Registers the operations of tensorflow_text, which TensorFlow Serving links too.
import tensorflow_text  # noqa: F401
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import model_pb2

from serving.server.signature import Signature
from serving.server.signature import signature_not_found

DEFAULT_SIGNATURE = "serving_default"


class Servable:
    """A loaded SavedModel.

    Attributes:
        name: Name of the model.
        version: Number of the version.
        signature_defs: What the SavedModel declares, by the name of the signature.

    Args:
        name: Name of the model.
        version: Number of the version.
        path: Directory that holds `saved_model.pb`.

    Raises:
        OSError: There is no SavedModel, or it cannot be read.
        tf.errors.OpError: It cannot be restored.
        ValueError: It has no graph tagged `serve`.
    """

    def __init__(self, name: str, version: int, path: str):
        self.name = name
        self.version = version
        # The signatures need its variables for as long as they run.
        self._model = tf.saved_model.load(path, tags=["serve"])
        self.signature_defs = _signature_defs(path)
        self._signatures = {
            key: Signature(function, self.signature_defs[key])
            for key, function in self._model.signatures.items()
        }

    def model_spec(self, signature_name: str = "") -> model_pb2.ModelSpec:
        """What an answer says of the version and the signature that gave it."""
        spec = model_pb2.ModelSpec(name=self.name, signature_name=signature_name)
        spec.version.value = self.version
        return spec

    def signature(self, name: str) -> Signature:
        """Looks a signature up; the empty name means `serving_default`.

        Raises:
            StatusError: The model has no such signature.
        """
        key = name or DEFAULT_SIGNATURE
        if key not in self._signatures:
            raise signature_not_found(key)
        return self._signatures[key]


def _signature_defs(path: str) -> dict[str, meta_graph_pb2.SignatureDef]:
    saved_model = saved_model_pb2.SavedModel()
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        saved_model.ParseFromString(file.read())
    (graph,) = (g for g in saved_model.meta_graphs if list(g.meta_info_def.tags) == ["serve"])
    return dict(graph.signature_def)
