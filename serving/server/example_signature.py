"""A signature on tf.Examples, as Classify, Regress and MultiInference call it."""

import contextlib

import numpy as np
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import input_pb2

from semantic_id_ranking.serving.server.example_input import serialized_examples
from semantic_id_ranking.serving.server.servable import DEFAULT_SIGNATURE
from semantic_id_ranking.serving.server.servable import Servable
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.tensor_proto import write_array

INPUTS = "inputs"
"""Alias of the one input: serialized tf.Examples [B]."""


def find_signature(servable: Servable, name: str) -> meta_graph_pb2.SignatureDef:
    """Looks up the signature that a Classify or Regress request names.

    Args:
        servable: The version.
        name: Name of the signature; the empty one means `serving_default`.

    Raises:
        StatusError: There is no such signature.
    """
    key = name or DEFAULT_SIGNATURE
    if key not in servable.signature_defs:
        raise invalid_argument(f"No signature was found with the name: {key}")
    return servable.signature_defs[key]


def run_on_examples(
    servable: Servable,
    name: str,
    request_input: input_pb2.Input,
    timer: contextlib.AbstractContextManager,
) -> tuple[dict[str, np.ndarray], int]:
    """Runs a signature on the examples of a request.

    Args:
        servable: The version.
        name: Name of a signature whose one input is `inputs`.
        request_input: The examples.
        timer: Entered while operations run.

    Returns:
        The outputs by alias, and the number of examples.

    Raises:
        StatusError: There is no example, or an operation fails.
    """
    examples = serialized_examples(request_input)
    proto = tensor_pb2.TensorProto()
    write_array(examples, proto)
    return servable.signature(name).run({INPUTS: proto}, (), timer), len(examples)


def shape_text(array: np.ndarray) -> str:
    """A shape as TensorFlow's messages write it: `[2,3]`."""
    return f"[{','.join(map(str, array.shape))}]"
