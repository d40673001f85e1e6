"""The tf.Examples of a Classify, Regress or MultiInference request."""

import numpy as np
from tensorflow_serving.apis import input_pb2

from semantic_id_ranking.serving.server.status import invalid_argument


def serialized_examples(request_input: input_pb2.Input) -> np.ndarray:
    """Reads the examples; a context is merged into each.

    Serialized messages merge by concatenation, as TensorFlow Serving's `util.cc` does it.

    Args:
        request_input: A list of examples, with or without a common context.

    Returns:
        Serialized tf.Examples, bytes [B].

    Raises:
        StatusError: There is no example.
    """
    context = b""
    examples = request_input.example_list.examples
    if request_input.WhichOneof("kind") == "example_list_with_context":
        context = request_input.example_list_with_context.context.SerializeToString()
        examples = request_input.example_list_with_context.examples
    if not examples:
        raise invalid_argument("Input is empty.")
    return np.array([context + example.SerializeToString() for example in examples], object)
