"""The ops of a SavedModel, and which of them TensorFlow itself registers.

A program of its own, `python -m pipeline.servable_ops SAVED_MODEL`: a process that has loaded other
libraries of ops knows theirs, too. It prints JSON, `{"op": [nodes, registered]}`; null for a file
that is no SavedModel.
"""

import collections
import json
import os
import sys

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry


def count_ops(path: str) -> dict[str, int]:
    """Nodes of each op, in the graphs of a SavedModel and in their functions.

    Args:
        path: Folder of the SavedModel.

    Raises:
        DecodeError: Its `saved_model.pb` is none.
    """
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        model = saved_model_pb2.SavedModel.FromString(file.read())
    counts = collections.Counter()
    for graph in (meta_graph.graph_def for meta_graph in model.meta_graphs):
        functions = {function.signature.name for function in graph.library.function}
        bodies = [graph.node, *(function.node_def for function in graph.library.function)]
        # A node may call a function by its name.
        counts.update(node.op for body in bodies for node in body if node.op not in functions)
    return dict(counts)


def main() -> None:
    """Prints the ops of the SavedModel that the command line names."""
    try:
        counts = count_ops(sys.argv[1])
    except DecodeError:
        found = None
    else:
        found = {op: [n, op_def_registry.get(op) is not None] for op, n in counts.items()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
