"""Regress: tf.Examples in, one value each out."""

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import regression_pb2

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

OUTPUTS = "outputs"


def regress(
    servable: Servable, request: regression_pb2.RegressionRequest, metrics: Metrics
) -> regression_pb2.RegressionResponse:
    """Answers what TensorFlow Serving's `regressor.cc` answers.

    Args:
        servable: The version that the request asks for.
        request: The examples.
        metrics: Where examples are counted, and TensorFlow's part is timed.

    Returns:
        A value for each example.

    Raises:
        StatusError: The signature is none of regression, or its output is not.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    check_regression(find_signature(servable, name))
    timer = metrics.time_runtime(servable.name, "Regress")
    outputs, examples = run_on_examples(servable, name, request.input, timer)
    metrics.count_examples(servable.name, examples)
    return regression_pb2.RegressionResponse(
        model_spec=servable.model_spec(name), result=regression_result(outputs, examples)
    )


def check_regression(signature: meta_graph_pb2.SignatureDef) -> None:
    """Checks that a signature takes `inputs` and gives `outputs`, whatever its method name.

    Raises:
        StatusError: It does not.
    """
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if INPUTS not in signature.inputs:
        raise failed_precondition(f"No regression inputs found in SignatureDef: {signature}")
    if OUTPUTS not in signature.outputs:
        raise failed_precondition(f"No regression outputs found in SignatureDef: {signature}")


def regression_result(
    outputs: dict[str, np.ndarray], examples: int
) -> regression_pb2.RegressionResult:
    """Writes `outputs`, float32 [B] or [B, 1].

    Args:
        outputs: Outputs of a signature of regression, by alias.
        examples: Number of examples, B.

    Raises:
        StatusError: The output has another shape or type.
    """
    values = outputs[OUTPUTS]
    if values.ndim != 1 and (values.ndim != 2 or values.shape[1] != 1):
        raise invalid_argument(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{shape_text(values)}"
        )
    if len(values) != examples:
        raise invalid_argument(
            f"Input batch size did not match output batch size: {examples} vs. {len(values)}"
        )
    if data_type(values) != types_pb2.DT_FLOAT:
        raise invalid_argument(
            "Expected output Tensor of DT_FLOAT.  Got: "
            f"{types_pb2.DataType.Name(data_type(values))}"
        )
    result = regression_pb2.RegressionResult()
    for value in values.ravel():
        result.regressions.add(value=value)
    return result
