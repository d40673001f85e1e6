"""The ops of a SavedModel, and the library that each belongs to."""

import collections
import os

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2


def count_ops(path: str) -> dict[str, int]:
    """Nodes of each op, in the graphs of a SavedModel and in their functions.

    Args:
        path: Folder of the SavedModel.

    Raises:
        DecodeError: Its `saved_model.pb` is none.
    """
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        model = saved_model_pb2.SavedModel.FromString(file.read())
    counts: collections.Counter[str] = collections.Counter()
    for graph in (meta_graph.graph_def for meta_graph in model.meta_graphs):
        functions = {function.signature.name for function in graph.library.function}
        bodies = [graph.node, *(function.node_def for function in graph.library.function)]
        # A node may call a function by its name.
        counts.update(node.op for body in bodies for node in body if node.op not in functions)
    return dict(counts)


def is_of_tensorflow(op: str) -> bool:
    """Whether TensorFlow has an op; those of other libraries, if loaded too, are not its own."""
    return hasattr(tf.raw_ops, op)
