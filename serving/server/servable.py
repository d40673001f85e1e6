"""One version of a model, loaded."""

import contextlib
import logging
from collections.abc import Iterator

import tensorflow as tf

# Registers the operations of tensorflow_text, which TensorFlow Serving links too.
import tensorflow_text  # noqa: F401
from tensorflow_serving.apis import model_pb2

from semantic_id_ranking.serving.server.signature import Signature
from semantic_id_ranking.serving.server.signature import signature_not_found

DEFAULT_SIGNATURE = "serving_default"

# What signatures begin with that only initialize the model.
_INTERNAL = "__saved_model"


class Servable:
    """A loaded SavedModel, in a session, as TensorFlow Serving has it.

    Attributes:
        name: Name of the model.
        version: Number of the version.
        signature_defs: What the SavedModel declares, by the name of the signature.

    Args:
        name: Name of the model.
        version: Number of the version.
        path: Directory that holds `saved_model.pb`.
        strict_shapes: Whether its signatures refuse shapes other than they declare.

    Raises:
        OSError: There is no SavedModel, or it cannot be read.
        tf.errors.OpError: It cannot be restored.
        RuntimeError: It has no graph tagged `serve`.
    """

    def __init__(self, name: str, version: int, path: str, strict_shapes: bool = False):
        self.name = name
        self.version = version
        with tf.Graph().as_default():
            session = tf.compat.v1.Session()
            with _without_advice():
                meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
        self.signature_defs = dict(meta_graph.signature_def)
        self._signatures = {
            key: Signature(session, signature_def, strict_shapes)
            for key, signature_def in self.signature_defs.items()
            if not key.startswith(_INTERNAL)
        }

    def model_spec(self, signature_name: str = "") -> model_pb2.ModelSpec:
        """The version and a signature, as answers name them."""
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


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Without TensorFlow's warning that one had better load into no session."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
