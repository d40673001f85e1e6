"""Classify: tf.Examples in, classes and scores out."""

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import classification_pb2

from semantic_id_ranking.serving.server.example_signature import find_signature
from semantic_id_ranking.serving.server.example_signature import INPUTS
from semantic_id_ranking.serving.server.example_signature import run_on_examples
from semantic_id_ranking.serving.server.example_signature import shape_text
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.servable import DEFAULT_SIGNATURE
from semantic_id_ranking.serving.server.servable import Servable
from semantic_id_ranking.serving.server.status import failed_precondition
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.tensor_proto import data_type

CLASSES = "classes"
SCORES = "scores"


def classify(
    servable: Servable, request: classification_pb2.ClassificationRequest, metrics: Metrics
) -> classification_pb2.ClassificationResponse:
    """Answers what TensorFlow Serving's `classifier.cc` answers.

    Args:
        servable: The version that the request asks for.
        request: The examples.
        metrics: Where examples are counted, and TensorFlow's part is timed.

    Returns:
        Classes of each example.

    Raises:
        StatusError: The signature is none of classification, or its outputs are not.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    check_classification(find_signature(servable, name))
    timer = metrics.time_runtime(servable.name, "Classify")
    outputs, examples = run_on_examples(servable, name, request.input, timer)
    metrics.count_examples(servable.name, examples)
    return classification_pb2.ClassificationResponse(
        model_spec=servable.model_spec(name), result=classification_result(outputs, examples)
    )


def check_classification(signature: meta_graph_pb2.SignatureDef) -> None:
    """Checks that a signature takes `inputs` and gives `classes`, `scores` or both.

    Its method name is not looked at, which TensorFlow Serving does by default neither: a TF2 export
    says `predict` of every signature.

    Raises:
        StatusError: It does not.
    """
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    if INPUTS not in signature.inputs:
        raise failed_precondition(f"No classification inputs found in SignatureDef: {signature}")
    if CLASSES not in signature.outputs and SCORES not in signature.outputs:
        raise failed_precondition(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature was: {signature}'
        )


def classification_result(
    outputs: dict[str, np.ndarray], examples: int
) -> classification_pb2.ClassificationResult:
    """Writes `classes`, strings [B, C], and `scores`, float32 [B, C], of which one may be absent.

    Args:
        outputs: Outputs of a signature of classification, by alias.
        examples: Number of examples, B.

    Raises:
        StatusError: An output has another shape or type.
    """
    classes, scores = outputs.get(CLASSES), outputs.get(SCORES)
    if classes is not None:
        _check(CLASSES, classes, types_pb2.DT_STRING, examples)
    if scores is not None:
        _check(SCORES, scores, types_pb2.DT_FLOAT, examples)
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid_argument(
            "Tensors class and score should match in dim_size(1). Got "
            f"{classes.shape[1]} vs. {scores.shape[1]}"
        )
    result = classification_pb2.ClassificationResult()
    given = scores if classes is None else classes
    width = 0 if given is None else given.shape[1]
    for row in range(examples):
        listed = result.classifications.add().classes
        for column in range(width):
            listed.add(
                label=None if classes is None else classes[row, column].decode(errors="replace"),
                score=None if scores is None else scores[row, column],
            )
    return result


def _check(alias: str, array: np.ndarray, dtype: int, examples: int) -> None:
    if array.ndim != 2:
        raise invalid_argument(
            f"Expected Tensor shape: [batch_size num_classes] but got {shape_text(array)}"
        )
    if data_type(array) != dtype:
        raise invalid_argument(
            f"Expected {alias} Tensor of {types_pb2.DataType.Name(dtype)}. "
            f"Got: {types_pb2.DataType.Name(data_type(array))}"
        )
    if len(array) != examples:
        raise invalid_argument(
            f"Expected {alias} output batch size of {examples}. Got: {len(array)}"
        )
